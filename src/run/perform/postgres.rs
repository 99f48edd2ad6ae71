//! A PostgreSQL connection URL as libpq's environment variables: so no password is ever a process argument.

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("understand the connection URL: {0}; write postgresql://user@host:5432/database")]
pub struct BadUrl(&'static str);

/// `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and what the query part sets.
///
/// # Errors
/// [`BadUrl`] when it is not a PostgreSQL URL. The message never repeats the URL.
pub fn variables(url: &str) -> Result<Vec<(String, String)>, BadUrl> {
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"))
        .ok_or(BadUrl("it does not begin with postgresql://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':').unwrap_or("")),
        None => host.rsplit_once(':').unwrap_or((host, "")),
    };
    let mut all = Vec::new();
    let mut set = |name: &str, text: &str| -> Result<(), BadUrl> {
        if !text.is_empty() {
            all.push((name.to_owned(), decode(text)?));
        }
        Ok(())
    };
    set("PGHOST", host)?;
    set("PGPORT", port)?;
    set("PGUSER", user)?;
    set("PGPASSWORD", password)?;
    set("PGDATABASE", database)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = match key {
            "host" => "PGHOST",
            "port" => "PGPORT",
            "user" => "PGUSER",
            "password" => "PGPASSWORD",
            "dbname" => "PGDATABASE",
            "sslmode" => "PGSSLMODE",
            "sslrootcert" => "PGSSLROOTCERT",
            "options" => "PGOPTIONS",
            "connect_timeout" => "PGCONNECT_TIMEOUT",
            "application_name" => "PGAPPNAME",
            "target_session_attrs" => "PGTARGETSESSIONATTRS",
            _ => return Err(BadUrl("it sets a parameter that is not known here")),
        };
        set(name, value)?;
    }
    Ok(all)
}

fn decode(text: &str) -> Result<String, BadUrl> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next(), rest.next()]
                .map(|digit| digit.and_then(|d| char::from(d).to_digit(16)));
            let [Some(high), Some(low)] = hex else {
                return Err(BadUrl("a % is not followed by two hex digits"));
            };
            bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| BadUrl("it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn line(url: &str) -> String {
        variables(url)
            .unwrap()
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(
            line("postgresql://me:p%40ss@db.example:6432/shop?sslmode=require"),
            "PGHOST=db.example PGPORT=6432 PGUSER=me PGPASSWORD=p@ss PGDATABASE=shop PGSSLMODE=require"
        );
        assert_eq!(
            line("postgres:///shop?host=/tmp/pg"),
            "PGDATABASE=shop PGHOST=/tmp/pg"
        );
        assert_eq!(
            line("postgres://[::1]:5433/x"),
            "PGHOST=::1 PGPORT=5433 PGDATABASE=x"
        );
    }

    #[test]
    fn errors_never_repeat_the_url() {
        let error = variables("mysql://user:secret@x/y")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"));
    }
}
