//! The macro that declares a backend trait, and with the same words its forwarding through a [`Layer`](crate::layer) and
//! its table.

/// Declares a trait of operations. Each gets a body that answers `NotModelled`, and the wrapper
/// [`Layered`](crate::layer::Layered) gets one that asks its layer and forwards.
///
/// The trait's table is a macro of the trait's name: `standin::Clock! { other }` is `other! { trait Clock { fn .. } }`,
/// with a line for each operation. A backend that sends operations elsewhere is made of it.
macro_rules! operations {
    (@table ($dollar:tt) $trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $trait {
            ($dollar other:ident) => {
                $dollar other! { trait $trait { $(fn $name($($arg: $type),*) -> $answer;)* } }
            };
        }
    };

    (
        $(#[$trait_doc:meta])*
        pub trait $trait:ident {$(
            $(#[$doc:meta])*
            fn $name:ident(&self $(, $arg:ident: $type:ty)* $(,)?) -> $answer:ty;
        )*}
    ) => {
        $(#[$trait_doc])*
        #[expect(clippy::missing_errors_doc, reason = "the contract in the module's docs and the man page cited hold")]
        pub trait $trait: $crate::backend::Fallback {$(
            $(#[$doc])*
            fn $name(&self $(, $arg: $type)*) -> $crate::failure::Result<$answer> {
                $(let _ = $arg;)*
                Err(self.not_modelled(stringify!($name)))
            }
        )*}

        impl<L: $crate::layer::Layer> $trait for $crate::layer::Layered<'_, L> {$(
            fn $name(&self $(, $arg: $type)*) -> $crate::failure::Result<$answer> {
                #[allow(unused_imports, reason = "an operation without arguments describes none")]
                use $crate::layer::Describe as _;
                let call = $crate::layer::Call {
                    name: stringify!($name),
                    arguments: vec![$((stringify!($arg), $arg.describe())),*],
                };
                self.pass(&call, |backend| backend.$name($($arg),*))
            }
        )*}

        $crate::backend::operations! {
            @table ($) $trait { $(fn $name($($arg: $type),*) -> $answer;)* }
        }
    };
}

pub(crate) use operations;
