//! Connections, within bounds.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use dbus_interfaces::bus1::Rate;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use service_kit::{Failure, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::endpoints::{Api, only_reads, page};
use super::tls;
use crate::config::{Network, Web};

/// Connections at a time; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 32;
/// A request's line and headers have to be there within.
const HEADERS: Duration = Duration::from_secs(5);
/// Bytes of a request's line and headers, at most; hyper allows no less.
const BUFFER: usize = 8_192;
/// A connection lives no longer: its clients open a new one.
const LIFE: Duration = Duration::from_secs(300);
/// Answers on their way get this long when the process ends.
const LAST_ANSWERS: Duration = Duration::from_millis(300);
/// After the kernel has refused a connection, as it does without descriptors.
const REST: Duration = Duration::from_millis(100);

/// Where the API listens, and for whom.
#[derive(Debug)]
pub struct Bound {
    listeners: Vec<TcpListener>,
    tls: Option<Arc<ServerConfig>>,
    config: Web,
}

/// Starts to listen.
///
/// # Errors
/// The address is no address of this machine, is in use, or is open to others and nobody is allowed; the certificate cannot
/// be used.
pub async fn bind(config: Web) -> Result<Bound, Failure> {
    let tls = match (&config.certificate, &config.private_key) {
        (Some(certificate), Some(private_key)) => Some(tls::config(certificate, private_key)?),
        _ => None,
    };
    let place = (config.host.as_str(), config.port);
    let found = tokio::net::lookup_host(place).await;
    let addresses: Vec<SocketAddr> = found
        .map_err(|error| Failure::configuration(format!("web host {:?}: {error}", config.host)))?
        .collect();
    if addresses.iter().any(|address| !address.ip().is_loopback()) && config.allow.is_empty() {
        return Err(Failure::configuration(format!(
            "web host {:?} is open to other machines, so say which may come: --allow ADDRESS, or web.allow",
            config.host
        )));
    }
    let mut listeners = Vec::new();
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            // A machine without IPv6 still has a localhost with it.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
            Err(error) => return Err(Failure::new(format!("cannot listen at {address}: {error}"))),
        }
    }
    if listeners.is_empty() {
        return Err(Failure::configuration(format!("{:?} is no address of this machine", config.host)));
    }
    Ok(Bound { listeners, tls, config })
}

impl Bound {
    /// Where it listens.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok())
    }

    /// Serves until the process is to end, or somebody says goodbye where that is allowed.
    pub async fn serve(self, api: Api, shutdown: Shutdown) {
        let goodbye = api.goodbye.clone().unwrap_or_default();
        let rate = Mutex::new(Rate::per_second(self.config.requests_per_second));
        let guard = Arc::new(Guard { config: self.config, tls: self.tls, rate, router: api.router() });
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let mut serving = JoinSet::new();
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = accept(&self.listeners) => accepted,
                () = shutdown.requested() => break,
                () = goodbye.notified() => break,
            };
            while serving.try_join_next().is_some() {}
            match accepted {
                Ok((stream, peer)) if guard.admits(peer) => {
                    let guard = guard.clone();
                    serving.spawn(async move {
                        let _ = timeout(LIFE, guard.converse(stream, peer)).await;
                        drop(place);
                    });
                }
                Ok((_, peer)) => tracing::debug!(%peer, "not served"),
                Err(_) => sleep(REST).await,
            }
        }
        drop(self.listeners);
        let last = async { while serving.join_next().await.is_some() {} };
        let _ = timeout(LAST_ANSWERS, last).await;
    }
}

async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    match listeners {
        [one] => one.accept().await,
        [one, other, ..] => tokio::select! {
            accepted = one.accept() => accepted,
            accepted = other.accept() => accepted,
        },
        [] => std::future::pending().await,
    }
}

/// Who may do what.
struct Guard {
    config: Web,
    tls: Option<Arc<ServerConfig>>,
    rate: Mutex<Rate>,
    router: axum::Router,
}

impl Guard {
    fn admits(&self, peer: SocketAddr) -> bool {
        let is_allowed = |network: &Network| network.contains(peer.ip());
        peer.ip().to_canonical().is_loopback() || self.config.allow.iter().any(is_allowed)
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        // Small answers are not to wait for the acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
        // How a connection ends is its client's business.
        match self.tls.clone() {
            None => drop(self.serve(stream, peer).await),
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(HEADERS, TlsAcceptor::from(tls).accept(stream)).await {
                    let _ = self.serve(stream, peer).await;
                }
            }
        }
    }

    async fn serve<S>(self: Arc<Self>, stream: S, peer: SocketAddr) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let guard = self.clone();
        let router = self.router.clone().layer(middleware::from_fn(move |request: Request, next: Next| {
            let guard = guard.clone();
            async move { guard.judge(request, next, peer).await }
        }));
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
            .await
    }

    async fn judge(&self, request: Request, next: Next, peer: SocketAddr) -> Response {
        // Nothing is done under the lock that could leave the rate half changed.
        if !self.rate.lock().unwrap_or_else(PoisonError::into_inner).allows(Instant::now()) {
            return page(StatusCode::TOO_MANY_REQUESTS);
        }
        if let Some(token) = &self.config.token {
            let said = request.headers().get(header::AUTHORIZATION).map(|value| value.as_bytes());
            let said = said.and_then(|value| value.strip_prefix(b"Bearer "));
            if !said.is_some_and(|said| is_same(said, token.as_bytes())) {
                return page(StatusCode::UNAUTHORIZED);
            }
        }
        let may_write = peer.ip().to_canonical().is_loopback() || self.config.allow_writes;
        if !may_write && !only_reads(request.uri().path()) {
            return page(StatusCode::FORBIDDEN);
        }
        next.run(request).await
    }
}

/// Takes as long for any text of this length.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
