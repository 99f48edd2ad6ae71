/* The bare loop: what a migration costs when nothing is understood, checked or recorded.
 *
 *     bare migrate FOLDER    for each manifest.json below FOLDER: read it, write a copy of it and a new file, fsync
 *                            both, rename; two threads
 *     bare read FOLDER       read each one once; two threads
 *
 * Prints how many there were. Folders named `inputs` are not entered. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 2
#define MOST (16 << 20)

/* What a migration adds: the new members and an entry of the history. White space, so that the file stays JSON. */
static char grown[700];
static char **paths;
static size_t count, room;
static atomic_size_t next;
static int writes;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void walk(const char *folder) {
    DIR *stream = opendir(folder);
    struct dirent *entry;
    if (!stream) die(folder);
    while ((entry = readdir(stream))) {
        const char *name = entry->d_name;
        char *path;
        if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "inputs")) continue;
        if (entry->d_type != DT_DIR && strcmp(name, "manifest.json")) continue;
        if (asprintf(&path, "%s/%s", folder, name) < 0) die("asprintf");
        if (entry->d_type == DT_DIR) {
            walk(path);
            free(path);
            continue;
        }
        if (count == room) {
            room = room ? 2 * room : 1024;
            paths = realloc(paths, room * sizeof *paths);
            if (!paths) die("realloc");
        }
        paths[count++] = path;
    }
    closedir(stream);
}

static void put(const char *path, const char *bytes, size_t length, const char *more, size_t more_length) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) die(path);
    if (write(file, bytes, length) != (ssize_t)length) die(path);
    if (more_length && write(file, more, more_length) != (ssize_t)more_length) die(path);
    if (fsync(file) || close(file)) die(path);
}

static void *work(void *unused) {
    char *bytes = malloc(MOST);
    char other[4096];
    size_t at;
    (void)unused;
    if (!bytes) die("malloc");
    while ((at = atomic_fetch_add(&next, 1)) < count) {
        int file = open(paths[at], O_RDONLY | O_CLOEXEC);
        ssize_t length, part;
        if (file < 0) die(paths[at]);
        for (length = 0; (part = read(file, bytes + length, MOST - length)) > 0; length += part) {}
        if (part < 0 || close(file)) die(paths[at]);
        if (!writes) continue;
        snprintf(other, sizeof other, "%s.backup", paths[at]);
        put(other, bytes, length, NULL, 0);
        snprintf(other, sizeof other, "%s.new", paths[at]);
        put(other, bytes, length, grown, sizeof grown);
        if (rename(other, paths[at])) die(other);
    }
    free(bytes);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    if (argc != 3) return 2;
    writes = !strcmp(argv[1], "migrate");
    memset(grown, ' ', sizeof grown);
    walk(argv[2]);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL)) die("pthread_create");
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    if (writes) {
        /* The names, too, are on disk before it says so. */
        int root = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0 || syncfs(root)) die(argv[2]);
    }
    printf("%zu\n", count);
    return 0;
}
