//! The web API by itself: TLS, and how many requests it takes.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a step that fails has to fail its test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::BusAddress;
use dcdc_rs485::Config;
use service_kit::{Context, Stopper};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web/data").join(name)
}

/// The process without any device, with these lines below `[web]`.
async fn start(web: &str) -> (u16, Stopper) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!(
        "[converter]\nport = \"/dev/nowhere\"\n[converter.settings]\ncib = 52\nubv = 40\nobv = 59\nugv = 300\n\
         ogv = 400\nbcf = 3\ncvb = 57.6\ndlb = 49\ncdb = 1.2\nddb = 1.8\ndrb = 0.0\n\
         [dbus]\nenabled = false\n[web]\nport = {port}\n{web}"
    );
    let config: Config =
        service_kit::config::parse(&text, "test", []).unwrap_or_else(|error| panic!("{error}"));
    let (context, stopper) = Context::detached();
    tokio::spawn(dcdc_rs485::run(config, "/nowhere".into(), BusAddress::System, false, context));
    for _ in 0..400 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (port, stopper);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not listen");
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let request = "GET /version/get HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Without a farewell of TLS the end is an error, and what came before it counts.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let web =
        format!("certificate = {:?}\nprivate_key = {:?}\n", data("localhost.crt"), data("localhost.key"));
    let (port, _stopper) = start(&web).await;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data("localhost.crt")).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let answer = ask(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("comm_interface_version"), "{answer}");

    let plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut nothing = Vec::new();
    let mut plain = plain;
    plain.write_all(b"GET /version/get HTTP/1.1\r\n\r\n").await.unwrap();
    let _ = plain.read_to_end(&mut nothing).await;
    assert!(!String::from_utf8_lossy(&nothing).contains("HTTP"), "{nothing:?}");
}

#[tokio::test]
async fn more_requests_than_are_allowed_are_turned_away() {
    let (port, _stopper) = start("requests_per_second = 5\n").await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = ask(TcpStream::connect(("127.0.0.1", port)).await.unwrap()).await;
        statuses.push(answer.get(9..12).unwrap_or_default().to_owned());
    }
    assert_eq!(statuses.first().map(String::as_str), Some("200"));
    assert!(statuses.contains(&"429".to_owned()), "{statuses:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_a_wrong_configuration() {
    let web = dcdc_rs485::config::Web {
        certificate: Some("/nowhere.crt".into()),
        private_key: Some("/nowhere.key".into()),
        ..Default::default()
    };
    let failure = dcdc_rs485::web::bind(web).await.unwrap_err();
    assert!(failure.is_configuration() && failure.to_string().contains("/nowhere.crt"), "{failure}");
}
