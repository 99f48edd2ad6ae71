//! The only loop: it joins the rules, the record, the processes and the people.

mod audience;

pub use audience::Audience;
