//! Conditions and facts: parsed once, typed, judged pass, fail or inconclusive.
