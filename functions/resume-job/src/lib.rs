//! PATCH: gives a job a new credential, or lets it try again what is missing.
