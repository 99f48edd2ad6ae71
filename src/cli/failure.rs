//! What a verb says when it cannot do what was asked.

/// An error with everything that an operator needs: what happened, what it means for the migration, what to do next.
#[derive(Debug)]
pub struct Failure {
    /// SPEC section 10.
    pub exit_code: u8,
    /// What happened.
    pub message: String,
    /// What it means for the migration.
    pub means: String,
    /// What to do next.
    pub next: Option<String>,
}

impl Failure {
    /// 1: internal or I/O error.
    pub fn io(message: impl ToString) -> Self {
        Self::new(1, message)
    }

    /// 2: usage.
    pub fn usage(message: impl ToString) -> Self {
        Self::new(2, message).means("nothing was started or changed")
    }

    /// 3: the plan is invalid.
    pub fn invalid(message: impl ToString) -> Self {
        Self::new(3, message).means("nothing was started or changed")
    }

    /// 9: refused, nothing started.
    pub fn refused(message: impl ToString) -> Self {
        Self::new(9, message).means("nothing was started or changed")
    }

    fn new(exit_code: u8, message: impl ToString) -> Self {
        Self {
            exit_code,
            message: message.to_string(),
            means: String::new(),
            next: None,
        }
    }

    /// What it means for the migration.
    #[must_use]
    pub fn means(mut self, means: impl Into<String>) -> Self {
        self.means = means.into();
        self
    }

    /// What to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}
