//! A connection to PostgreSQL, with TLS.
//!
//! `sslmode` means what it means to `psql`: `disable`; `prefer` (the default: TLS if the server has it, whoever it is);
//! `require` (TLS, whoever it is, unless `sslrootcert` is given); `verify-ca` and `verify-full` (the certificate must be
//! from `sslrootcert` or else an authority that this machine trusts, and for the host's name; `verify-ca` checks the name
//! too). TLS is rustls with ring.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::target::decode;
use super::super::{IndexError, Target};
use super::explain;

/// How long to wait for a server unless the URL says `connect_timeout`.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects. The connection is served by the current runtime, whenever it runs.
pub(super) async fn connect(target: &Target, url: &str) -> Result<Client, IndexError> {
    let wanted = Wanted::parse(target, url)?;
    let tls = wanted.tls(target)?;
    let (client, connection) =
        wanted
            .config
            .connect(tls)
            .await
            .map_err(|error| IndexError::Connect {
                target: target.to_string(),
                message: explain(&error),
            })?;
    tokio::spawn(async move {
        // If the connection breaks, the next statement says so.
        let _ = connection.await;
    });
    Ok(client)
}

/// A URL, taken apart.
#[derive(Debug)]
struct Wanted {
    config: Config,
    /// The certificate must be of an authority.
    verify: bool,
    /// The file with the authorities; none for those that the machine trusts.
    authorities: Option<String>,
}

impl Wanted {
    fn parse(target: &Target, url: &str) -> Result<Self, IndexError> {
        let refused = |why: String| IndexError::Target {
            target: target.to_string(),
            why,
        };
        // The driver knows neither `sslrootcert` nor the modes that verify.
        // Before an `@` a `?` is part of the password, as the driver has it.
        let authority = url.find('@').unwrap_or(0);
        let (base, query) = match url[authority..].find('?') {
            Some(at) => (&url[..authority + at], &url[authority + at + 1..]),
            None => (url, ""),
        };
        let mut kept = Vec::new();
        let (mut mode, mut authorities) = (None, None);
        for parameter in query.split('&').filter(|p| !p.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", value)) => mode = Some(decode(value)),
                Some(("sslrootcert", value)) => authorities = Some(decode(value)),
                _ => kept.push(parameter),
            }
        }
        let mut config: Config =
            format!("{base}?{}", kept.join("&"))
                .parse()
                .map_err(|error: tokio_postgres::Error| {
                    // The driver's words may hold pieces of a password that broke the URL.
                    let why = if target.secrets().is_empty() {
                        format!("{}; ", explain(&error))
                    } else {
                        String::new()
                    };
                    refused(format!(
                        "{why}expected `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE`, and `@ : / ? # %` in a \
                         name or password written as `%40 %3A %2F %3F %23 %25`"
                    ))
                })?;
        let (mode, verify) = match mode.as_deref() {
            None | Some("prefer" | "allow") => (SslMode::Prefer, false),
            Some("disable") => (SslMode::Disable, false),
            Some("require") => (SslMode::Require, authorities.is_some()),
            Some("verify-ca" | "verify-full") => (SslMode::Require, true),
            Some(_) => {
                return Err(refused(
                    "`sslmode` is one of disable, prefer, require, verify-ca, verify-full"
                        .to_owned(),
                ));
            }
        };
        config.ssl_mode(mode);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("orchestrate");
        }
        Ok(Self {
            config,
            verify,
            authorities: authorities.filter(|file| file != "system"),
        })
    }

    fn tls(&self, target: &Target) -> Result<MakeRustlsConnect, IndexError> {
        let failed = |message: String| IndexError::Connect {
            target: target.to_string(),
            message,
        };
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(error.to_string()))?;
        let config = if self.verify {
            let mut roots = RootCertStore::empty();
            for certificate in self.certificates().map_err(&failed)? {
                roots
                    .add(certificate)
                    .map_err(|error| failed(format!("a certificate of an authority: {error}")))?;
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        } else {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
                .with_no_client_auth()
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let Some(file) = &self.authorities else {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                return Err(format!(
                    "this machine trusts no authority, so no certificate can be verified ({}); give `sslrootcert=FILE`",
                    errors.join("; ")
                ));
            }
            return Ok(found.certs);
        };
        let certificates = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("read the authorities in {file}: {error}"))?;
        if certificates.is_empty() {
            return Err(format!("{file} holds no certificate"));
        }
        Ok(certificates)
    }
}

/// Takes any certificate, as `psql` does unless it is told to verify. The handshake itself is checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn wanted(url: &str) -> Result<Wanted, IndexError> {
        Wanted::parse(&Target::parse(url)?, url)
    }

    #[test]
    fn modes_mean_what_they_mean_to_psql() {
        for (query, mode, verify) in [
            ("", SslMode::Prefer, false),
            ("?sslmode=disable", SslMode::Disable, false),
            ("?sslmode=require", SslMode::Require, false),
            (
                "?sslmode=require&sslrootcert=ca.pem",
                SslMode::Require,
                true,
            ),
            (
                "?application_name=x&sslmode=verify-full",
                SslMode::Require,
                true,
            ),
        ] {
            let wanted = wanted(&format!("postgres://a@db.test/x{query}")).unwrap();
            assert_eq!(
                (wanted.config.get_ssl_mode(), wanted.verify),
                (mode, verify),
                "{query}"
            );
            assert_eq!(wanted.config.get_connect_timeout(), Some(&PATIENCE));
        }
    }

    #[test]
    fn a_url_that_makes_no_sense_is_told_without_its_password() {
        for url in [
            "postgres://anna:hunter2@db:port/x",
            "postgres://anna:hunter2@db/x?nonsense=1",
            "postgres://anna:hunt/er2=x@db:port/x",
            "postgres://anna:hunter2@db/x?sslmode=maybe",
        ] {
            let error = wanted(url).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(!text.contains("er2") && !text.contains("hunt"), "{text}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn a_question_mark_in_a_password_is_understood() {
        let wanted = wanted("postgres://anna:hunt?er2@db/x?sslmode=disable").unwrap();
        assert_eq!(wanted.config.get_password(), Some(&b"hunt?er2"[..]));
        assert_eq!(wanted.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn authorities_are_read() {
        let url = "postgres://a@db.test/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem";
        let target = Target::parse(url).unwrap();
        let error = wanted(url).unwrap().tls(&target).map(drop).unwrap_err();
        assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
        let url = "postgres://a@db.test/x";
        assert!(
            wanted(url)
                .unwrap()
                .tls(&Target::parse(url).unwrap())
                .is_ok()
        );
    }
}
