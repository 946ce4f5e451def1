//! Peers of which nothing is ours: `busctl`, `dbus-send`, and scripts on third-party packages.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::PrivateBus;

/// A client ended with an error: what it wrote on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(pub String);

/// The script `name` of `tests/clients`, a `.py` or a `.js`, with the packages of `requirements.txt` or
/// `package-lock.json` beside it, which are installed at first use (that takes seconds, and the package registry).
pub fn client_script(name: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients");
    let interpreter = if name.ends_with(".js") { "node" } else { "python" };
    let mut command = Command::new(folder.join(interpreter));
    command.arg(folder.join(name)).env("PYTHONUNBUFFERED", "1");
    command
}

impl PrivateBus {
    /// Runs `busctl ARGUMENTS...` and returns its JSON answer: for `call` the list of the returned values, for other
    /// commands what busctl prints (null when it prints nothing). A value is plain: variants are opened.
    ///
    /// # Errors
    /// What busctl says when it fails, for example because the service answers with an error.
    ///
    /// # Panics
    /// When busctl is missing, or prints something else than JSON.
    #[track_caller]
    pub fn busctl(&self, arguments: &[&str]) -> Result<Value, Refused> {
        let address = format!("--address={}", self.address());
        let text = run(self.command("busctl").args([&address, "--json=short"]).args(arguments))?;
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("busctl: {error}: {text}"));
        Ok(plain(json))
    }

    /// `GetValue` on an item, by busctl. The empty array of an invalid item is null.
    ///
    /// # Errors
    /// What busctl says when the service refuses.
    #[track_caller]
    pub fn get_value(&self, service: &str, path: &str) -> Result<Value, Refused> {
        let reply = self.busctl(&["call", service, path, "com.victronenergy.BusItem", "GetValue"])?;
        let value = reply.get(0).cloned().unwrap_or_default();
        Ok(if value == Value::Array(vec![]) { Value::Null } else { value })
    }

    /// `SetValue` on an item, by busctl: the signature of one value, then the value in busctl's spelling. Returns the
    /// service's return code, 0 for accepted.
    ///
    /// # Errors
    /// What busctl says when the service answers with an error.
    #[track_caller]
    pub fn set_value(&self, service: &str, path: &str, value: &[&str]) -> Result<i64, Refused> {
        let mut call = vec!["call", service, path, "com.victronenergy.BusItem", "SetValue", "v"];
        call.extend(value);
        let reply = self.busctl(&call)?;
        Ok(reply.get(0).and_then(Value::as_i64).unwrap_or_else(|| panic!("SetValue returned {reply}")))
    }

    /// Runs `dbus-send` with a method call and returns the printed reply (`--print-reply=literal`) on one line, its
    /// parts separated by one space: `variant double 54.5`.
    ///
    /// # Errors
    /// What dbus-send says when the service answers with an error.
    ///
    /// # Panics
    /// When dbus-send is missing.
    #[track_caller]
    pub fn dbus_send(
        &self,
        destination: &str,
        path: &str,
        method: &str,
        arguments: &[&str],
    ) -> Result<String, Refused> {
        let bus = format!("--bus={}", self.address());
        let destination = format!("--dest={destination}");
        let text = run(self
            .command("dbus-send")
            .args([&bus, "--print-reply=literal", "--reply-timeout=20000", &destination, path, method])
            .args(arguments))?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

#[track_caller]
fn run(command: &mut Command) -> Result<String, Refused> {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| {
        panic!("{} does not start: {error}", command.get_program().to_string_lossy())
    });
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    } else {
        Err(Refused(String::from_utf8_lossy(&stderr).trim().to_owned()))
    }
}

/// Takes busctl's `{"type": ..., "data": ...}` off every value.
fn plain(json: Value) -> Value {
    match json {
        Value::Object(mut map) if map.len() == 2 && map.contains_key("type") && map.contains_key("data") => {
            plain(map.remove("data").unwrap_or_default())
        }
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        Value::Array(list) => list.into_iter().map(plain).collect(),
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_lose_the_type_that_busctl_adds() {
        let reply = json!({"type": "a{sa{sv}}", "data": [{"/Soc": {"Value": {"type": "d", "data": 54.5}}}]});
        assert_eq!(plain(reply), json!([{"/Soc": {"Value": 54.5}}]));
    }
}
