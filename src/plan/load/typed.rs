//! From the arena to the typed plan.
//!
//! A deserializer of its own, so that nothing is copied twice, `null` and `x-` keys vanish where the
//! format says so, and scalars keep their spelling.
//!
//! It is as strict as the schema: what it fills, the schema accepts, so that a right plan is never
//! checked against the schema at all, which costs more than the rest of a small plan's review. A test
//! holds the two together. What it refuses, the schema explains.

use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::plan::model::{CheckMapping, Json, MeasurementMapping, Plan, Scalar, Shell};
use crate::plan::source::{Arena, Entry, Kind, NodeId, Number};

/// Fills the types from a document whose shape is right, and refuses any other.
///
/// # Errors
///
/// What the schema would find, and what it cannot say, such as an integer that does not fit its type.
pub(super) fn fill_strictly(arena: &Arena) -> Result<Plan, Misfit> {
    let plan = fill_with(arena, true)?;
    if plan.migration_phases.is_empty() {
        return Err(de::Error::custom("`migration_phases` must not be empty"));
    }
    Ok(plan)
}

/// Fills the types from a document as far as they need it: checks may have no probe, and the plan no
/// phase.
///
/// # Errors
///
/// What the types cannot hold.
pub(super) fn fill(arena: &Arena) -> Result<Plan, Misfit> {
    fill_with(arena, false)
}

fn fill_with(arena: &Arena, strict: bool) -> Result<Plan, Misfit> {
    Plan::deserialize(Value {
        arena,
        id: arena.root(),
        whole: false,
        strict,
    })
}

/// A value that does not fit its type.
#[derive(Debug)]
pub(super) struct Misfit {
    /// What does not fit.
    pub(super) message: String,
    /// The innermost value that was being read.
    pub(super) node: Option<NodeId>,
}

impl Misfit {
    fn at(mut self, id: NodeId) -> Self {
        self.node.get_or_insert(id);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            node: None,
        }
    }
}

#[derive(Clone, Copy)]
struct Value<'a> {
    arena: &'a Arena,
    id: NodeId,
    /// Keep `null`s and `x-` keys: the value is free-form JSON.
    whole: bool,
    /// Refuse also what only the schema refuses.
    strict: bool,
}

impl<'a> Value<'a> {
    fn kind(self) -> &'a Kind {
        &self.arena.node(self.id).kind
    }

    fn map(self, entries: &'a [Entry], own_keys: bool) -> Members<'a> {
        Members {
            arena: self.arena,
            entries: entries.iter(),
            value: None,
            whole: self.whole,
            strict: self.strict,
            own_keys: own_keys || self.whole,
        }
    }

    fn list(self, items: &'a [NodeId]) -> Items<'a> {
        Items {
            arena: self.arena,
            items: items.iter(),
            whole: self.whole,
            strict: self.strict,
        }
    }

    /// What the schema says of a type, and the type itself does not: a mapping that must have exactly one of some
    /// keys, a text that is one of some words.
    fn one_of(self, name: &str) -> Result<(), Misfit> {
        let keys = match name {
            "Shell" => {
                return match self.kind() {
                    Kind::Text(text) if self.strict && !Shell::NAMES.contains(&&**text) => Err(
                        <Misfit as de::Error>::custom("expected the name of a shell").at(self.id),
                    ),
                    _ => Ok(()),
                };
            }
            "CheckMapping" => &CheckMapping::PROBE_KEYS,
            "MeasurementMapping" => &MeasurementMapping::PROBE_KEYS,
            _ => return Ok(()),
        };
        let Kind::Map(entries) = self.kind() else {
            return Ok(());
        };
        let given = entries.iter().filter(|entry| {
            keys.contains(&&*entry.key) && self.arena.node(entry.value).kind != Kind::Null
        });
        if self.strict && given.count() != 1 {
            return Err(<Misfit as de::Error>::custom("expected exactly one probe").at(self.id));
        }
        Ok(())
    }
}

impl<'de, 'a: 'de> Deserializer<'de> for Value<'a> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(Number::Int(value), _) => visitor.visit_i64(*value),
            Kind::Number(Number::Uint(value), _) => visitor.visit_u64(*value),
            Kind::Number(Number::Float(value), _) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::List(items) => visitor.visit_seq(self.list(items)),
            Kind::Map(entries) => visitor.visit_map(self.map(entries, false)),
        }
        .map_err(|error: Misfit| error.at(self.id))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match (name, self.kind()) {
            (Scalar::NEWTYPE, Kind::Number(_, text)) => visitor.visit_borrowed_str(text),
            (Json::NEWTYPE, _) => visitor.visit_newtype_struct(Value {
                whole: true,
                ..self
            }),
            _ => self
                .one_of(name)
                .and_then(|()| visitor.visit_newtype_struct(self)),
        }
        .map_err(|error: Misfit| error.at(self.id))
    }

    /// Mappings with keys of the author's choosing, such as `env`: an `x-` key is one of them.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Map(entries) => visitor
                .visit_map(self.map(entries, true))
                .map_err(|error: Misfit| error.at(self.id)),
            _ => self.deserialize_any(visitor),
        }
    }

    /// Serde would take a list for a struct's fields in their order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Map(_) => self
                .one_of(name)
                .and_then(|()| self.deserialize_any(visitor)),
            _ => Err(<Misfit as de::Error>::custom("expected a mapping").at(self.id)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.kind() {
            Kind::Text(text) => visitor
                .visit_enum(Word(text))
                .map_err(|error: Misfit| error.at(self.id)),
            _ => Err(<Misfit as de::Error>::custom("expected a word").at(self.id)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct identifier ignored_any
    }
}

struct Members<'a> {
    arena: &'a Arena,
    entries: std::slice::Iter<'a, Entry>,
    value: Option<NodeId>,
    whole: bool,
    strict: bool,
    own_keys: bool,
}

impl<'de, 'a: 'de> MapAccess<'de> for Members<'a> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        for entry in self.entries.by_ref() {
            let absent = !self.whole && self.arena.node(entry.value).kind == Kind::Null;
            if absent || (!self.own_keys && entry.key.starts_with("x-")) {
                continue;
            }
            self.value = Some(entry.value);
            return seed
                .deserialize(de::value::BorrowedStrDeserializer::new(&entry.key))
                .map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some(id) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(Value {
            arena: self.arena,
            id,
            whole: self.whole,
            strict: self.strict,
        })
    }
}

struct Items<'a> {
    arena: &'a Arena,
    items: std::slice::Iter<'a, NodeId>,
    whole: bool,
    strict: bool,
}

impl<'de, 'a: 'de> SeqAccess<'de> for Items<'a> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        self.items
            .next()
            .map(|id| {
                seed.deserialize(Value {
                    arena: self.arena,
                    id: *id,
                    whole: self.whole,
                    strict: self.strict,
                })
            })
            .transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Word<'a>(&'a str);

impl<'de> EnumAccess<'de> for Word<'_> {
    type Error = Misfit;
    type Variant = Bare;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Bare), Misfit> {
        let word: de::value::StrDeserializer<'_, Misfit> = self.0.into_deserializer();
        Ok((seed.deserialize(word)?, Bare))
    }
}

struct Bare;

impl<'de> VariantAccess<'de> for Bare {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Misfit> {
        Err(de::Error::custom("expected a word"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Misfit> {
        Err(de::Error::custom("expected a word"))
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Misfit> {
        Err(de::Error::custom("expected a word"))
    }
}
