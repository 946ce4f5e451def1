//! The guide of the converter's service, held against the service: its examples, its example configuration, its OpenAPI file.

use serde_json::Value;

use super::bed::{Bed, Site};
use super::http;

const GUIDE: &str = include_str!("../../../dcdc-rs485/README.md");
const OPENAPI: &str = include_str!("../../../dcdc-rs485/openapi.json");
const EXAMPLE: &str = include_str!("../../../dcdc-rs485/dcdc-rs485.example.toml");

/// Every key of the one is in the other, at any depth; where the one has `...`, anything may be.
fn has_shape(ours: &Value, shown: &Value) -> bool {
    match (ours, shown) {
        (Value::Object(ours), Value::Object(shown)) => {
            ours.len() == shown.len()
                && shown.iter().all(|(key, value)| ours.get(key).is_some_and(|ours| has_shape(ours, value)))
        }
        (ours, shown) => std::mem::discriminant(ours) == std::mem::discriminant(shown),
    }
}

#[test]
fn the_examples_of_the_guide_are_answered_as_it_shows() {
    let bed = Bed::start(&Site::default());
    let mut shown = 0;
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        let Some(target) =
            line.strip_prefix("    $ curl 'http://localhost:4380").and_then(|rest| rest.strip_suffix('\''))
        else {
            continue;
        };
        let example: String = lines.by_ref().take_while(|line| line.starts_with("    ")).collect();
        let example: Value =
            serde_json::from_str(&example).unwrap_or_else(|error| panic!("{target}: {error}"));
        let answer = http::get(bed.port, target);
        assert!(has_shape(&answer.json(), &example), "{target}: {}", answer.body);
        if let Some(error) = example["err"].as_str() {
            assert_eq!(answer.json()["err"], error, "{target}");
        }
        shown += 1;
    }
    assert!(shown >= 5, "only {shown} examples were found");
}

#[test]
fn every_path_of_the_openapi_file_is_served_and_its_parameters_are_those_of_the_service() {
    let bed = Bed::start(&Site::default());
    let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
    let paths = openapi["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 17);
    for (path, item) in paths {
        let answer = http::get(bed.port, path);
        assert!(matches!(answer.status, 200 | 400), "{path}: {answer:?}");
        let operation = &item["get"];
        assert!(operation["summary"].is_string() && operation["responses"]["200"].is_object(), "{path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            assert!(openapi["components"]["parameters"][name]["name"] == name, "{path} {name}");
        }
    }
}

#[test]
fn the_example_configuration_is_one() {
    let config: dcdc_rs485::Config = service_kit::config::parse(EXAMPLE, "example", []).unwrap();
    assert_eq!(config.converter.inter_command_gap_ms, 50);
    // With every key that is commented out.
    let all: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let full: dcdc_rs485::Config =
        service_kit::config::parse(&all, "example", []).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(full.converter.port, config.converter.port);
}
