//! The macro that declares operations whose handler is a few lines.

/// Declares operation structs with their handlers, each `Name { fields } = "method" -> Answer: |op, kernel, caller| body;`. What
/// it touches stands before the colon, `touching |op, kernel, caller, answer| { footprint }`, if it is known.
macro_rules! operation {
    ($(
        $(#[$doc:meta])*
        $name:ident $(<$life:lifetime>)? { $($field:ident: $type:ty),* $(,)? } = $method:literal -> $answer:ty
        $(, touching |$of:ident, $seen:ident, $by:ident, $answered:ident| { $footprint:expr })?:
        |$op:ident, $kernel:ident, $caller:ident| $body:expr;
    )*) => {$(
        $(#[$doc])*
        pub(crate) struct $name $(<$life>)? { $(pub(crate) $field: $type),* }

        impl $(<$life>)? $crate::door::Operation for $name $(<$life>)? {
            type Answer = $answer;
            const NAME: &'static str = $method;

            fn show(&self, parts: &mut $crate::trace::Parts) {
                $($crate::trace::Show::add(&self.$field, stringify!($field), parts);)*
                let _ = parts;
            }

            fn handle(
                &mut self,
                $kernel: &mut $crate::kernel::Kernel,
                $caller: $crate::task::ThreadKey,
            ) -> $crate::step::Step<$answer> {
                let $op = self;
                $body
            }

            $(fn footprint(
                &self,
                $seen: &$crate::kernel::Kernel,
                $by: $crate::task::ThreadKey,
                $answered: Option<&$answer>,
            ) -> $crate::schedule::Footprint {
                let $of = self;
                $footprint
            })?
        }
    )*};
}

pub(crate) use operation;
