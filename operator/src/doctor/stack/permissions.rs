//! Whether the functions' roles may do what the template grants them: IAM itself is asked, which sees
//! also what was changed by hand, a boundary, and what the organisation denies
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>). What a bucket's or a
//! key's own policy denies it does not see: `smoke` does.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use client::console::counted;
use domain::plural::agree;
use serde_json::Value;

use super::template::Deployed;
use super::{Parts, unasked};
use crate::checks::Check;
use crate::deployment::{Deployment, StackView};

/// The name of what is said of all of them.
const PERMISSIONS: &str = "permissions";

/// A check for each function that the template grants something.
pub(super) async fn checks(
    stack: &StackView,
    parts: &Parts,
    deployment: &Deployment,
) -> Vec<Check> {
    let template = match deployment.template(&stack.name).await {
        Ok(template) => template,
        Err(failure) => return vec![Check::unknown(PERMISSIONS, failure.message)],
    };
    let deployed = Deployed {
        template: &template,
        stack,
        parts,
    };
    let iam = Client::new(deployment.wiring().sdk());
    let mut checks = Vec::new();
    for function in parts.of("AWS::Lambda::Function") {
        match of_function(&deployed, &function.logical, &iam).await {
            Ok(check) => checks.extend(check),
            // Whoever may not ask of one may not ask of the next.
            Err(check) => {
                checks.push(check);
                break;
            }
        }
    }
    checks
}

/// What there is to say of a function; an error when IAM does not say it.
async fn of_function(
    deployed: &Deployed<'_>,
    function: &str,
    iam: &Client,
) -> Result<Option<Check>, Check> {
    let role = deployed
        .template
        .pointer(&format!("/Resources/{function}/Properties/Role"));
    let role = role.and_then(|role| role.get("Fn::GetAtt"));
    let role = role.and_then(|it| it.get(0).or(Some(it))?.as_str());
    let Some(role) = role.and_then(|role| role.split('.').next()) else {
        return Ok(None);
    };
    let name = format!("permissions of {function}");
    let statements = statements(deployed.template, role);
    let Some(role) = deployed.texts(&serde_json::json!({"Fn::GetAtt": [role, "Arn"]})) else {
        return Ok(Some(Check::red(
            name,
            "its role is not there: deploy again",
        )));
    };
    let (mut granted, mut unresolved) = (0, 0);
    for statement in &statements {
        let Some(asked) = Asked::of(deployed, statement) else {
            unresolved += 1;
            continue;
        };
        granted += 1;
        for resource in &asked.resources {
            let denied = asked.denied(iam, &role.concat(), resource).await?;
            if let Some(denied) = denied {
                let message = format!(
                    "its role may not {denied} on {resource}, which the template grants it: its policy, a boundary or the \
                     organisation's own policies were changed; deploy again, or ask who did"
                );
                return Ok(Some(Check::red(name, message)));
            }
        }
    }
    let said = format!(
        "its role may do what {} of the template {} it",
        counted(granted, "statement"),
        agree(granted, "grants", "grant")
    );
    Ok(match (granted, unresolved) {
        (0, 0) => None,
        (_, 0) => Some(Check::green(name, said)),
        (_, unresolved) => {
            let others = counted(unresolved, "other");
            Some(Check::unknown(
                name,
                format!(
                    "{said}; {others} could not be looked at: this command does not understand them"
                ),
            ))
        }
    })
}

/// The statements of a role's own policies.
fn statements<'a>(template: &'a Value, role: &str) -> Vec<&'a Value> {
    let policies = template.pointer(&format!("/Resources/{role}/Properties/Policies"));
    let policies = policies.and_then(Value::as_array).into_iter().flatten();
    let statements = policies.filter_map(|policy| policy.pointer("/PolicyDocument/Statement"));
    let statements = statements.filter_map(Value::as_array);
    statements.flatten().collect()
}

/// What a statement allows, as requests that it is for.
struct Asked {
    actions: Vec<String>,
    resources: Vec<String>,
    context: Vec<ContextEntry>,
}

impl Asked {
    fn of(deployed: &Deployed<'_>, statement: &Value) -> Option<Self> {
        let conditions = statement.get("Condition").and_then(Value::as_object);
        let mut context = Vec::new();
        for (operator, keys) in conditions.into_iter().flatten() {
            for (key, values) in keys.as_object()? {
                // That a key is not there is refused: any value of it will do.
                let value = if operator == "Null" {
                    "x".to_owned()
                } else {
                    deployed.texts(values)?.first()?.replace('*', "x")
                };
                let kind = if operator.starts_with("ForA") {
                    ContextKeyTypeEnum::StringList
                } else {
                    ContextKeyTypeEnum::String
                };
                let entry = ContextEntry::builder()
                    .context_key_name(key)
                    .context_key_type(kind)
                    .context_key_values(value);
                context.push(entry.build());
            }
        }
        Some(Self {
            actions: deployed.texts(statement.get("Action")?)?,
            // Of all objects below a prefix, one.
            resources: deployed
                .texts(statement.get("Resource")?)?
                .into_iter()
                .map(|resource| resource.replace('*', "x"))
                .collect(),
            context,
        })
    }

    /// The first action that is not allowed.
    async fn denied(
        &self,
        iam: &Client,
        role: &str,
        resource: &str,
    ) -> Result<Option<String>, Check> {
        let asked = iam
            .simulate_principal_policy()
            .policy_source_arn(role)
            .set_action_names(Some(self.actions.clone()))
            .resource_arns(resource)
            .set_context_entries(Some(self.context.clone()))
            .send()
            .await;
        let answer =
            asked.map_err(|error| unasked(PERMISSIONS, "iam:SimulatePrincipalPolicy", error))?;
        let results = answer.evaluation_results.unwrap_or_default().into_iter();
        let mut denied =
            results.filter(|it| it.eval_decision != PolicyEvaluationDecisionType::Allowed);
        Ok(denied.next().map(|it| it.eval_action_name))
    }
}
