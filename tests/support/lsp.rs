//! A small client for a language server: messages with a `Content-Length` over its standard streams. It asks, waits for
//! the answer, and keeps the diagnostics that arrive meanwhile.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// Longest that one answer may take, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// A language server that was started. It ends with this.
pub(crate) struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    asked: u64,
    /// The latest diagnostics of each document, until somebody takes them.
    diagnostics: HashMap<String, Vec<Value>>,
}

impl Server {
    /// Starts a server, and tells it these settings once it is up.
    pub(crate) fn start(mut command: Command, settings: &Value) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("failed to start {command:?}: {error}"));
        let input = child.stdin.take().expect("it was asked for");
        let output = child.stdout.take().expect("it was asked for");
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            child,
            input,
            messages,
            asked: 0,
            diagnostics: HashMap::new(),
        };
        server.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": null,
                "capabilities": {
                    "textDocument": {
                        "hover": {"contentFormat": ["markdown", "plaintext"]},
                        "completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
                    },
                },
            }),
        );
        server.tell("initialized", &json!({}));
        server.tell(
            "workspace/didChangeConfiguration",
            &json!({ "settings": settings }),
        );
        server
    }

    /// Opens a document, and waits for what the server finds wrong with it.
    pub(crate) fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        self.tell(
            "textDocument/didOpen",
            &json!({"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}}),
        );
        loop {
            if let Some(found) = self.diagnostics.remove(uri) {
                return found;
            }
            let message = self.receive(&format!("diagnostics of {uri}"));
            self.take_in(&message);
        }
    }

    /// Asks about a place in an open document; line and column count from 0.
    pub(crate) fn ask_at(&mut self, method: &str, uri: &str, place: (usize, usize)) -> Value {
        self.ask(
            method,
            &json!({
                "textDocument": {"uri": uri},
                "position": {"line": place.0, "character": place.1},
            }),
        )
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive(method);
            if message.get("method").is_none() && message["id"] == json!(id) {
                assert!(
                    message.get("error").is_none(),
                    "{method} was refused: {message}"
                );
                return message["result"].clone();
            }
            self.take_in(&message);
        }
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// What the server says of its own accord: diagnostics are kept, questions get an empty answer.
    fn take_in(&mut self, message: &Value) {
        if message["method"] == "textDocument/publishDiagnostics" {
            let params = &message["params"];
            let uri = params["uri"].as_str().unwrap_or_default().to_owned();
            let found = params["diagnostics"].as_array().cloned();
            self.diagnostics.insert(uri, found.unwrap_or_default());
        } else if let (Some(_), Some(id)) = (message.get("method"), message.get("id")) {
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": null}));
        }
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len())
            .and_then(|()| self.input.flush())
            .expect("the language server reads its input");
    }

    fn receive(&mut self, what: &str) -> Value {
        self.messages.recv_timeout(LONGEST).unwrap_or_else(|error| {
            panic!("the language server gave no answer to {what}: {error}");
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length:") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = Vec::new();
    output.take(length?).read_to_end(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
