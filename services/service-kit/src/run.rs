//! A process from start to end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::context::Context;
use crate::failure::Failure;
use crate::{guard, last_words, logging};

/// The work loop has to come by at least this often.
pub(crate) const WATCHDOG_LIMIT: Duration = Duration::from_secs(10);

/// Exit code for a wrong configuration: `EX_CONFIG` of sysexits.h. Supervisors do not try again after it.
pub const EXIT_CONFIGURATION: u8 = 78;

/// Exit code for every other failure.
pub const EXIT_FAILURE: u8 = 1;

/// Who is running: what the first log line says.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    version: String,
    config: Option<PathBuf>,
    watchdog_limit: Duration,
}

impl Program {
    /// A program by its name and version.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), config: None, watchdog_limit: WATCHDOG_LIMIT }
    }

    /// The configuration file it is going to read.
    #[must_use]
    pub fn config(mut self, path: &Path) -> Self {
        self.config = Some(path.to_owned());
        self
    }

    /// Another watchdog limit than 10 s.
    #[must_use]
    pub fn watchdog_limit(mut self, limit: Duration) -> Self {
        self.watchdog_limit = limit;
        self
    }
}

/// Runs `body` on a single-threaded runtime and returns what `main` returns: 0 when it was asked to stop or is done,
/// 78 for a wrong configuration, 1 for anything else. A hang, a panic, a second signal and a stop that takes longer than
/// a second end the process from inside, with 1.
///
/// ```no_run
/// use service_kit::{Failure, Program};
///
/// fn main() -> std::process::ExitCode {
///     service_kit::run(Program::new("example", env!("CARGO_PKG_VERSION")), async |context| {
///         let shutdown = context.shutdown();
///         context.ready("running");
///         shutdown.requested().await;
///         Ok::<(), Failure>(())
///     })
/// }
/// ```
pub fn run<B>(program: Program, body: B) -> ExitCode
where
    B: AsyncFnOnce(Context) -> Result<(), Failure>,
{
    logging::start();
    last_words::end_on_panic();
    let Program { name, version, config, watchdog_limit } = program;
    match config {
        Some(path) => tracing::info!(config = %path.display(), "{name} {version} starts"),
        None => tracing::info!("{name} {version} starts"),
    }
    let systemd = sd_notify::watchdog_enabled().filter(|given_up| !given_up.is_zero());
    let (context, stopper, pulse) = Context::new(watchdog_limit, systemd);
    let result = match guard::start(pulse, stopper) {
        Ok(()) => block_on(body, context.clone()),
        Err(error) => Err(error.into()),
    };
    end(&context, result)
}

fn block_on<B>(body: B, context: Context) -> Result<(), Failure>
where
    B: AsyncFnOnce(Context) -> Result<(), Failure>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(body(context));
    // Does not wait for blocking calls that are still on their way.
    runtime.shutdown_background();
    result
}

/// The last log line, and what is behind it.
fn end(context: &Context, result: Result<(), Failure>) -> ExitCode {
    let asked = context.shutdown().reason();
    let failure = match result {
        Ok(()) => {
            let why = asked.unwrap_or("done");
            context.readiness().stopping(why);
            tracing::info!("stopped: {why}");
            return ExitCode::SUCCESS;
        }
        Err(failure) => failure,
    };
    for line in failure.config_errors().into_iter().flat_map(|errors| errors.lines()) {
        tracing::error!("{line}");
    }
    let (code, why) = match (failure.config_errors(), failure.is_configuration()) {
        (Some(_), _) => (EXIT_CONFIGURATION, "the configuration is wrong".to_owned()),
        (None, true) => (EXIT_CONFIGURATION, failure.to_string()),
        (None, false) => (EXIT_FAILURE, failure.to_string()),
    };
    context.readiness().stopping(&why);
    tracing::error!(code, "stopped: {why}");
    ExitCode::from(code)
}
