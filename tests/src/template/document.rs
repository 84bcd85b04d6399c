//! template.yaml as data: `CloudFormation`'s short tags written out, as JSON has them.

use std::path::Path;

use serde_json::{Map, Value, json};

/// What is true of a stack that restored tables are given to.
const IS_RESTORED: [&str; 2] = ["HasRestoredExports", "HasRestoredRegistry"];

/// The template.
pub(crate) struct Template(Value);

impl Template {
    /// Reads the template of this workspace, as it is for a stack with its own tables.
    pub(crate) fn read() -> Self {
        Self::of(false)
    }

    /// The same for a stack that restored tables are given to.
    pub(crate) fn restored() -> Self {
        Self::of(true)
    }

    fn of(is_restored: bool) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let template = plain(serde_yaml_ng::from_str(&text).unwrap());
        Self(chosen(template, is_restored))
    }

    /// What stands at a path of the template, `Null` when nothing does.
    pub(crate) fn at(&self, path: &str) -> &Value {
        self.0.pointer(path).unwrap_or(&Value::Null)
    }

    /// What stands at a path of a resource's properties.
    pub(crate) fn property(&self, resource: &str, path: &str) -> &Value {
        self.at(&format!("/Resources/{resource}/Properties/{path}"))
    }

    /// Logical id and properties of the resources of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.0["Resources"].as_object().unwrap();
        let of_kind = resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == kind);
        of_kind
            .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
            .collect()
    }

    /// Every function: its logical id, and the crate that it is built from.
    pub(crate) fn functions(&self) -> Vec<(&str, &str)> {
        let built = |id: &str| {
            self.at(&format!("/Resources/{id}/Metadata/BuildProperties/Binary"))
                .as_str()
                .unwrap()
        };
        self.of_type("AWS::Serverless::Function")
            .into_iter()
            .map(|(id, _)| (id, built(id)))
            .collect()
    }

    /// A function's environment, with what all functions share.
    pub(crate) fn environment(&self, function: &str) -> Map<String, Value> {
        let shared = self
            .at("/Globals/Function/Environment/Variables")
            .as_object()
            .unwrap();
        let own = self.property(function, "Environment/Variables").as_object();
        shared
            .iter()
            .chain(own.into_iter().flatten())
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The value's text in a deployment with the parameters' defaults: `stack` stands for every
    /// other name.
    pub(crate) fn deployed(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(call) if call.contains_key("Ref") => {
                let default = self.at(&format!(
                    "/Parameters/{}/Default",
                    call["Ref"].as_str().unwrap()
                ));
                if call["Ref"] == "TokenIssuer" {
                    "https://stack".to_owned()
                } else if default.is_null() {
                    "stack".to_owned()
                } else {
                    self.deployed(default)
                }
            }
            Value::Object(call) if call.contains_key("Fn::Sub") => call["Fn::Sub"]
                .as_str()
                .unwrap()
                .replace("${LakeBucket}", "stack")
                .replace("${LakePrefix}", "lake"),
            Value::Object(_) => "stack".to_owned(),
            Value::Null | Value::Bool(_) | Value::Array(_) => panic!("no text: {value}"),
        }
    }
}

/// A value in which `CloudFormation` has chosen which tables are meant.
fn chosen(value: Value, is_restored: bool) -> Value {
    let arguments = value["Fn::If"].as_array();
    if let Some([Value::String(condition), restored, own]) = arguments.map(Vec::as_slice)
        && IS_RESTORED.contains(&condition.as_str())
    {
        return if is_restored { restored } else { own }.clone();
    }
    match value {
        Value::Object(members) => {
            let chosen = |(name, value)| (name, chosen(value, is_restored));
            Value::Object(members.into_iter().map(chosen).collect())
        }
        Value::Array(values) => {
            let all = values.into_iter();
            all.map(|value| chosen(value, is_restored)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn plain(yaml: serde_yaml_ng::Value) -> Value {
    match yaml {
        serde_yaml_ng::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let call = if name == "Ref" {
                name.to_owned()
            } else {
                format!("Fn::{name}")
            };
            json!({ call: plain(tagged.value) })
        }
        serde_yaml_ng::Value::Mapping(fields) => {
            let named = fields
                .into_iter()
                .map(|(name, value)| (name.as_str().unwrap().to_owned(), plain(value)));
            Value::Object(named.collect())
        }
        serde_yaml_ng::Value::Sequence(values) => values.into_iter().map(plain).collect(),
        scalar @ (serde_yaml_ng::Value::Null
        | serde_yaml_ng::Value::Bool(_)
        | serde_yaml_ng::Value::Number(_)
        | serde_yaml_ng::Value::String(_)) => serde_json::to_value(scalar).unwrap(),
    }
}
