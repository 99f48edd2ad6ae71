//! What people see: views folded from records, the live display.
