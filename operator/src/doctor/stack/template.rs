//! A template as it was deployed: what its references stand for.

use serde_json::Value;

use super::Parts;
use crate::deployment::StackView;

/// The template of a stack, whose transform was done.
pub(super) struct Deployed<'a> {
    pub(super) template: &'a Value,
    pub(super) stack: &'a StackView,
    pub(super) parts: &'a Parts,
}

/// Where a stack is: what its own ARN says (`arn:{partition}:cloudformation:{region}:{account}:…`).
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(stack_arn: &'a str) -> Option<Self> {
        let mut words = stack_arn.split(':').skip(1);
        let (partition, _, region) = (words.next()?, words.next()?, words.next()?);
        let account = words.next()?;
        Some(Self {
            partition,
            region,
            account,
        })
    }
}

impl<'a> Deployed<'a> {
    pub(super) fn place(&self) -> Option<Place<'a>> {
        Place::of(&self.stack.arn)
    }

    /// The texts that a value stands for, of a list all of them; `None` when this code cannot say it.
    pub(super) fn texts(&self, value: &Value) -> Option<Vec<String>> {
        match value {
            Value::Array(values) => {
                let texts: Option<Vec<_>> = values.iter().map(|it| self.texts(it)).collect();
                Some(texts?.concat())
            }
            Value::Object(call) if call.contains_key("Fn::Split") => self.split(value),
            Value::Object(_)
            | Value::String(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Null => Some(vec![self.text(value)?]),
        }
    }

    fn text(&self, value: &Value) -> Option<String> {
        let call = match value {
            Value::String(text) => return Some(text.clone()),
            Value::Number(number) => return Some(number.to_string()),
            Value::Object(call) => call,
            Value::Null | Value::Bool(_) | Value::Array(_) => return None,
        };
        let (name, of) = call.iter().next()?;
        match name.as_str() {
            "Ref" => self.named(of.as_str()?),
            "Fn::GetAtt" => self.attribute(of),
            "Fn::Sub" => self.filled(of.as_str()?),
            "Fn::If" => {
                let [condition, then, otherwise] = of.as_array()?.as_slice() else {
                    return None;
                };
                let holds = self.holds(condition.as_str()?)?;
                self.text(if holds { then } else { otherwise })
            }
            "Fn::Select" => {
                let [number, list] = of.as_array()?.as_slice() else {
                    return None;
                };
                let number: usize = self.text(number)?.parse().ok()?;
                self.texts(list)?.get(number).cloned()
            }
            _ => None,
        }
    }

    fn split(&self, value: &Value) -> Option<Vec<String>> {
        let [separator, text] = value.get("Fn::Split")?.as_array()?.as_slice() else {
            return None;
        };
        let text = self.text(text)?;
        Some(text.split(separator.as_str()?).map(str::to_owned).collect())
    }

    /// A parameter, a part, or what `CloudFormation` itself knows.
    fn named(&self, name: &str) -> Option<String> {
        let place = self.place()?;
        let text = match name {
            "AWS::Partition" => place.partition,
            "AWS::Region" => place.region,
            "AWS::AccountId" => place.account,
            "AWS::StackName" => &self.stack.name,
            name => match self.stack.parameter(name) {
                Some(given) => given,
                None => &self.parts.named(name)?.physical,
            },
        };
        Some(text.to_owned())
    }

    /// The text with its `${names}` filled in.
    fn filled(&self, text: &str) -> Option<String> {
        let mut pieces = text.split("${");
        let mut filled = pieces.next()?.to_owned();
        for piece in pieces {
            let (name, rest) = piece.split_once('}')?;
            let said = match name.split_once('.') {
                Some((part, "Arn")) => self.arn(part)?,
                Some(_) => return None,
                None => self.named(name)?,
            };
            filled.push_str(&said);
            filled.push_str(rest);
        }
        Some(filled)
    }

    fn attribute(&self, of: &Value) -> Option<String> {
        let (part, attribute) = match of {
            Value::String(text) => text.split_once('.')?,
            Value::Array(words) => (words.first()?.as_str()?, words.get(1)?.as_str()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        };
        (attribute == "Arn").then(|| self.arn(part))?
    }

    /// The ARN of a part, of the types that policies name.
    fn arn(&self, logical: &str) -> Option<String> {
        let part = self.parts.named(logical)?;
        let Place {
            partition,
            region,
            account,
        } = self.place()?;
        let id = &part.physical;
        let (service, name) = match part.kind.as_str() {
            "AWS::DynamoDB::Table" => ("dynamodb", format!("table/{id}")),
            "AWS::KMS::Key" => ("kms", format!("key/{id}")),
            // Of a queue, the id is its URL.
            "AWS::SQS::Queue" => ("sqs", id.rsplit('/').next()?.to_owned()),
            "AWS::IAM::Role" => return Some(format!("arn:{partition}:iam::{account}:role/{id}")),
            _ => return None,
        };
        Some(format!(
            "arn:{partition}:{service}:{region}:{account}:{name}"
        ))
    }

    /// Whether a condition of the template holds.
    fn holds(&self, name: &str) -> Option<bool> {
        self.is_so(self.template.get("Conditions")?.get(name)?)
    }

    fn is_so(&self, condition: &Value) -> Option<bool> {
        let (name, of) = condition.as_object()?.iter().next()?;
        match (name.as_str(), of) {
            ("Condition", Value::String(name)) => self.holds(name),
            ("Fn::Not", Value::Array(of)) => Some(!self.is_so(of.first()?)?),
            ("Fn::Equals", Value::Array(of)) => {
                let [one, other] = of.as_slice() else {
                    return None;
                };
                Some(self.text(one)? == self.text(other)?)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::deployment::Resource;

    /// What a value of the real template's shapes stands for, of a stack with this parameter.
    fn texts(stream: &str, value: &Value) -> Option<Vec<String>> {
        let part = |logical: &str, physical: &str, kind: &str| Resource {
            logical: logical.to_owned(),
            physical: physical.to_owned(),
            kind: kind.to_owned(),
        };
        let parts = Parts(vec![
            part("ExportsTable", "exports-1", "AWS::DynamoDB::Table"),
            part("SealKey", "key-1", "AWS::KMS::Key"),
            part(
                "ChunkQueue",
                "https://sqs/123456789012/chunks",
                "AWS::SQS::Queue",
            ),
            part("Bus", "exports", "AWS::Events::EventBus"),
        ]);
        let template = json!({"Conditions": {
            "HasRestored": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stream"}, ""]}]},
        }});
        let deployed = Deployed {
            template: &template,
            stack: &StackView::with_parameters(&[("Stream", stream), ("LakeBucket", "lake")]),
            parts: &parts,
        };
        deployed.texts(value)
    }

    #[test]
    fn a_resource_of_a_statement_is_the_one_that_the_stack_has() {
        let split = json!({"Fn::Split": ["/stream/", {"Ref": "Stream"}]});
        let own = json!({"Fn::GetAtt": ["ExportsTable", "Arn"]});
        let table = json!({"Fn::If": ["HasRestored", {"Fn::Select": [0, split]}, own]});
        let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/restored";
        for (stream, value, expected) in [
            (
                "",
                &table,
                vec!["arn:aws:dynamodb:eu-west-1:123456789012:table/exports-1"],
            ),
            (&format!("{arn}/stream/2026"), &table, vec![arn]),
            (
                "",
                &json!([{"Fn::GetAtt": "SealKey.Arn"}, {"Fn::GetAtt": ["ChunkQueue", "Arn"]}]),
                vec![
                    "arn:aws:kms:eu-west-1:123456789012:key/key-1",
                    "arn:aws:sqs:eu-west-1:123456789012:chunks",
                ],
            ),
            (
                "",
                &json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::${LakeBucket}/*"}),
                vec!["arn:aws:s3:::lake/*"],
            ),
        ] {
            assert_eq!(texts(stream, value).unwrap(), expected, "{value}");
        }
        // What is not understood is not guessed.
        for value in [
            json!({"Fn::GetAtt": ["Bus", "Arn"]}),
            json!({"Fn::GetAtt": ["ExportsTable", "StreamArn"]}),
            json!({"Fn::ImportValue": "x"}),
            json!({"Ref": "Nobody"}),
        ] {
            assert_eq!(texts("", &value), None, "{value}");
        }
    }
}
