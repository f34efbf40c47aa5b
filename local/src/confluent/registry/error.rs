//! Why the registry refuses, in Confluent's words and codes.

/// Why the registry refuses, with Confluent's codes.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No such subject.
    #[error("Subject '{0}' not found.")]
    UnknownSubject(String),
    /// The subject has no level of its own.
    #[error("Subject '{0}' does not have subject-level compatibility configured")]
    NoLevel(String),
    /// No such version.
    #[error("Version {0} not found.")]
    UnknownVersion(u32),
    /// No such schema, by id or under this subject.
    #[error("Schema not found")]
    UnknownSchema,
    /// The new schema cannot read old data.
    #[error(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{details}]"
    )]
    Incompatible {
        /// Where it was to be registered.
        subject: String,
        /// Every difference that breaks.
        details: String,
    },
    /// Not a schema, or not one that the local registry can judge.
    #[error("Invalid schema: {0}")]
    InvalidSchema(String),
    /// Not a version number.
    #[error(
        "The specified version '{0}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
    )]
    InvalidVersion(String),
    /// Not a level.
    #[error("Invalid compatibility level. The local registry knows NONE and BACKWARD")]
    InvalidLevel,
    /// The file cannot be written.
    #[error("Error in the backend data store: {0:#}")]
    Store(anyhow::Error),
}

impl RegistryError {
    /// Confluent's code; its first three digits are the HTTP status.
    #[must_use]
    pub fn code(&self) -> u32 {
        match self {
            Self::UnknownSubject(_) => 40401,
            Self::UnknownVersion(_) => 40402,
            Self::UnknownSchema => 40403,
            Self::NoLevel(_) => 40408,
            Self::Incompatible { .. } => 409,
            Self::InvalidSchema(_) => 42201,
            Self::InvalidVersion(_) => 42202,
            Self::InvalidLevel => 42203,
            Self::Store(_) => 50001,
        }
    }
}
