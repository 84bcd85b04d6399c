//! The API as a machine reads it.

/// Where it is served, to everybody.
pub const PATH: &str = "/openapi.json";

/// The API by `OpenAPI` 3.1, of which `docs/openapi.yaml` is the source.
pub const OPENAPI: &str = include_str!("description/openapi.json");
