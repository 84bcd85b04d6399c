//! What storage's error codes mean for the one who gave the container's URL: the cause, and what to
//! do.

/// The codes whose cause is known, each with the cause and the remedy. Those of
/// `AuthenticationFailed` that the adapter distinguishes by the answer's body have names of our own
/// (`SignatureExpired`, `SignatureNotYetValid`, `SignatureMismatch`, `AccessPolicyNotFound`); so
/// has a host without an address: `AccountNotFound`. The others are Azure's
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/blob-service-error-codes>,
/// <https://learn.microsoft.com/en-us/rest/api/storageservices/common-rest-api-error-codes>).
pub const CAUSES: [(&str, &str); 20] = [
    (
        "SignatureExpired",
        "the signature has expired: make one that lasts longer than the export",
    ),
    (
        "SignatureNotYetValid",
        "the signature is not yet valid: make one without a start (st), or with an earlier one",
    ),
    (
        "SignatureMismatch",
        "the signature is not one of this account and container, or its key was changed: make a new one",
    ),
    (
        "AccessPolicyNotFound",
        "the stored access policy of the signature (si) does not exist any more: make a new one",
    ),
    (
        "AuthenticationFailed",
        "storage cannot prove the signature: it has expired, was cut or altered, its key was changed, or its stored \
         access policy was removed; make a new one",
    ),
    (
        "AuthorizationFailure",
        "the account's firewall or network rules keep the service out, whose address is not fixed, or the signature \
         has expired, was altered, is one of another container or lacks a permission: let the account be reached from \
         all networks, or make a new signature",
    ),
    (
        "AuthorizationPermissionMismatch",
        "the signature lacks a permission: make one with sp=w or sp=cw",
    ),
    (
        "AuthorizationProtocolMismatch",
        "the signature does not allow the protocol: make one with spr=https",
    ),
    (
        "AuthorizationSourceIPMismatch",
        "the signature is bound to an IP address (sip), and the service's address is not fixed: make one without sip",
    ),
    (
        "AuthorizationResourceTypeMismatch",
        "the signature is not for blobs: make one with srt=co, or for the container",
    ),
    (
        "AuthorizationServiceMismatch",
        "the signature is not for the blob service: make one with ss=b",
    ),
    (
        "AccountNotFound",
        "no storage account has the name with which the host of the URL begins: compare it with the account's",
    ),
    (
        "InsufficientAccountPermissions",
        "the account may not be written to at present: ask its owner",
    ),
    (
        "AccountIsDisabled",
        "the account is disabled: ask its owner",
    ),
    (
        "KeyBasedAuthenticationNotPermitted",
        "the account takes no signatures made with its key: make a user delegation SAS",
    ),
    (
        "PublicAccessNotPermitted",
        "the request came without a signature that storage could read: make a new one",
    ),
    (
        "BlobArchived",
        "a blob of that name lies in the archive tier: move it away, or use another container",
    ),
    (
        "BlobImmutableDueToPolicy",
        "an immutability policy forbids writing blobs again, which is how a crash is survived: use another container",
    ),
    (
        "ContainerDisabled",
        "the container is disabled: ask the account's owner",
    ),
    (
        "ContainerBeingDeleted",
        "the container is being deleted: make another one, or wait until it can be made again",
    ),
];

/// A code as a message has it: with its cause and remedy, where they are known.
pub(super) fn explained(code: &str) -> String {
    let cause = CAUSES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, cause)| cause);
    cause.map_or_else(|| code.to_owned(), |cause| format!("{code}; {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerError;

    #[test]
    fn a_refusal_tells_its_cause_and_what_to_do() {
        let denied = |code: &str| {
            ContainerError::Denied {
                code: code.to_owned(),
            }
            .to_string()
        };
        assert_eq!(
            denied("AuthorizationSourceIPMismatch"),
            "storage refused the signature (AuthorizationSourceIPMismatch; the signature is bound to an IP address (sip), \
             and the service's address is not fixed: make one without sip)"
        );
        assert_eq!(denied("Unheard"), "storage refused the signature (Unheard)");
        let refused = ContainerError::Refused {
            code: "BlobArchived".to_owned(),
        }
        .to_string();
        assert!(refused.contains("archive tier"), "{refused}");
    }

    #[test]
    fn no_code_stands_twice_and_every_cause_says_what_to_do() {
        for (number, (code, cause)) in CAUSES.iter().enumerate() {
            assert!(
                CAUSES
                    .iter()
                    .skip(number + 1)
                    .all(|(other, _)| other != code),
                "{code}"
            );
            assert!(
                cause.contains(": ") || cause.contains("; "),
                "{code}: {cause}"
            );
        }
    }
}
