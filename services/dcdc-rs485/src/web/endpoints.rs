//! What each path does.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::answer::{self, Answer};
use super::query::set_points;
use crate::battery;
use crate::converter::{self, Given, Request};
use crate::error::Error;

const HTML: &str = "text/html; charset=UTF-8";
const JSON: &str = "application/json";

/// What the original tells of itself; apis-main demands interface version 2.
const INTERFACE_VERSION: &str = "2.0";
const PROGRAM_VERSION: &str = "1.4";

/// Everything that a request may need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    /// The converter.
    pub converter: converter::Handle,
    /// The battery.
    pub battery: battery::Handle,
    /// `/essx/goodbye` ends the process; told when somebody says it.
    pub goodbye: Option<Arc<Notify>>,
}

macro_rules! routes {
    ($($path:literal => $method:ident,)*) => {
        /// Whether a path changes the converter.
        fn router(api: Api) -> Router {
            Router::new()
                $(.route($path, get(async |State(api): State<Api>, uri: Uri| {
                    reply(api.$method(uri.query().unwrap_or_default()).await)
                })))*
                .route("/essx/goodbye", get(goodbye))
                .fallback(async || page(StatusCode::NOT_FOUND))
                .method_not_allowed_fallback(async || page(StatusCode::METHOD_NOT_ALLOWED))
                .with_state(api)
        }
    };
}

routes! {
    "/essx/hello" => hello,
    "/version/get" => version,
    "/1/log/data" => log_data,
    "/battery/get" => battery_get,
    "/remote/get" => remote_get,
    "/dcdc/get" => dcdc_get,
    "/remote/get/status" => status,
    "/dcdc/get/status" => status,
    "/remote/ioctl/get" => ioctl_get,
    "/all/get" => all_get,
    "/remote/set" => set,
    "/remote/set/current" => set_current,
    "/remote/set/voltage" => set_voltage,
    "/dcdc/set" => dcdc_set,
    "/remote/ioctl/set" => ioctl_set,
    "/remote/ioctl/clr_alarm" => clear_alarms,
}

/// Whether a request to this path only reads.
pub(super) fn only_reads(path: &str) -> bool {
    !matches!(
        path,
        "/remote/set"
            | "/remote/set/current"
            | "/remote/set/voltage"
            | "/dcdc/set"
            | "/remote/ioctl/set"
            | "/remote/ioctl/clr_alarm"
            | "/essx/hello"
            | "/essx/goodbye"
    )
}

impl Api {
    /// All paths.
    pub(super) fn router(self) -> Router {
        router(self)
    }

    async fn hello(&self, _: &str) -> Result<Value, Error> {
        self.converter.ask(Request::Forget).await?;
        Ok(json!({"message": "hello world"}))
    }

    async fn version(&self, _: &str) -> Result<Value, Error> {
        Ok(json!({"comm_interface_version": INTERFACE_VERSION, "dcdc_batt_comm_version": PROGRAM_VERSION}))
    }

    async fn log_data(&self, _: &str) -> Result<Value, Error> {
        Ok(answer::log_data(self.battery.read().await?, &self.converter.config()).into())
    }

    async fn battery_get(&self, _: &str) -> Result<Value, Error> {
        Ok(answer::battery(self.battery.read().await?).into())
    }

    async fn remote_get(&self, _: &str) -> Result<Value, Error> {
        let mut answer = self.full(Request::Everything).await?;
        answer.extend([answer::power_meter()]);
        Ok(answer.into())
    }

    async fn dcdc_get(&self, _: &str) -> Result<Value, Error> {
        Ok(self.full(Request::Everything).await?.into())
    }

    async fn status(&self, _: &str) -> Result<Value, Error> {
        let snapshot = self.converter.ask(Request::Status).await?;
        Ok(answer::short(&snapshot, &self.converter.config().converter.settings)?.into())
    }

    async fn ioctl_get(&self, _: &str) -> Result<Value, Error> {
        let mut answer = answer::log_data(self.battery.read().await?, &self.converter.config());
        answer.extend(self.full(Request::Everything).await?);
        answer.extend([answer::power_meter()]);
        Ok(answer.into())
    }

    async fn all_get(&self, _: &str) -> Result<Value, Error> {
        let mut answer = answer::battery(self.battery.read().await?);
        answer.extend(self.full(Request::Everything).await?);
        Ok(answer.into())
    }

    async fn set(&self, query: &str) -> Result<Value, Error> {
        self.write(Request::Set(set_points(query))).await
    }

    async fn set_current(&self, query: &str) -> Result<Value, Error> {
        self.write(Request::SetCurrent(set_points(query))).await
    }

    async fn set_voltage(&self, query: &str) -> Result<Value, Error> {
        self.write(Request::SetVoltage(set_points(query))).await
    }

    /// One path for the three above: what is given decides.
    async fn dcdc_set(&self, query: &str) -> Result<Value, Error> {
        let given = set_points(query);
        self.write(match given {
            Given { mode: None, dig: Some(_), dvg: None, drg: None } => Request::SetCurrent(given),
            Given { mode: None, dig: None, dvg: Some(_), .. } => Request::SetVoltage(given),
            given => Request::Set(given),
        })
        .await
    }

    async fn ioctl_set(&self, _: &str) -> Result<Value, Error> {
        self.converter.ask(Request::Configure).await?;
        Ok(answer::configured(&self.converter.config()).into())
    }

    async fn clear_alarms(&self, _: &str) -> Result<Value, Error> {
        let mut answer = self.full(Request::ClearAlarms).await?;
        answer.extend([answer::power_meter()]);
        Ok(answer.into())
    }

    async fn write(&self, request: Request) -> Result<Value, Error> {
        Ok(self.full(request).await?.into())
    }

    async fn full(&self, request: Request) -> Result<Answer, Error> {
        let snapshot = self.converter.ask(request).await?;
        answer::full(&snapshot, &self.converter.config().converter.settings)
    }
}

fn reply(outcome: Result<Value, Error>) -> Response {
    let (status, body) = match outcome {
        Ok(answer) => (StatusCode::OK, answer),
        Err(error) => (StatusCode::BAD_REQUEST, json!({"err": error.to_string()})),
    };
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

async fn goodbye(State(api): State<Api>) -> Response {
    match api.goodbye {
        Some(goodbye) => {
            goodbye.notify_one();
            let body = json!({"message": "goodbye"}).to_string();
            ([(header::CONTENT_TYPE, JSON), (header::CONNECTION, "close")], body).into_response()
        }
        None => ([(header::CONTENT_TYPE, HTML)], "").into_response(),
    }
}

/// A page that says no more than its status.
pub(super) fn page(status: StatusCode) -> Response {
    let body = format!("<!DOCTYPE html>\n<title>{status}</title>\n<h1>{status}</h1>\n");
    (status, [(header::CONTENT_TYPE, HTML)], body).into_response()
}
