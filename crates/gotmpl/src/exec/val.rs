//! A value on its way through an execution: with what Go's reflection knows beyond the value.

use std::borrow::Cow;

use crate::value::Value;

/// Go tells three things apart that print alike: no value at all (what a missing key gives), a nil within an
/// `interface {}` (what a null entry gives; asking it for a field is an error), and a concrete value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Val {
    value: Value,
    state: Form,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    /// Go's zero `reflect.Value`.
    #[default]
    Invalid,
    /// An element of a container of `interface {}`.
    Interface,
    Concrete,
}

impl Val {
    pub(crate) const INVALID: Val = Val { value: Value::Nil, state: Form::Invalid };

    /// A value by itself; nil is no value.
    pub(crate) fn concrete(value: Value) -> Self {
        let state = if matches!(value, Value::Nil) { Form::Invalid } else { Form::Concrete };
        Val { value, state }
    }

    /// An element of a container; nil stays an element.
    pub(crate) fn element(value: Value, of_interfaces: bool) -> Self {
        if of_interfaces { Val { value, state: Form::Interface } } else { Val::concrete(value) }
    }

    /// The value taken out of its container, as the end of a pipeline does.
    pub(crate) fn unwrapped(self) -> Self {
        if self.state == Form::Interface { Val::concrete(self.value) } else { self }
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.state != Form::Invalid
    }

    pub(crate) fn is_nil_interface(&self) -> bool {
        self.state == Form::Interface && matches!(self.value, Value::Nil)
    }

    /// An element of a container of interfaces, which some of Go's functions do not take out of it.
    pub(crate) fn is_interface(&self) -> bool {
        self.state == Form::Interface
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn into_value(self) -> Value {
        self.value
    }

    /// The static type, as far as Go still knows it.
    pub(crate) fn static_type(&self) -> Cow<'static, str> {
        if self.state == Form::Interface { Cow::Borrowed("interface {}") } else { self.value.type_name() }
    }
}
