//! The macro that declares a backend trait, and with the same words its forwarding through a [`Layer`](crate::layer).

/// Declares a trait of operations. Each gets a body that answers `NotModelled`, and the wrapper
/// [`Layered`](crate::layer::Layered) gets one that asks its layer and forwards.
macro_rules! operations {
    (
        $(#[$trait_doc:meta])*
        pub trait $trait:ident {$(
            $(#[$doc:meta])*
            fn $name:ident(&self $(, $arg:ident: $type:ty)* $(,)?) -> $answer:ty;
        )*}
    ) => {
        $(#[$trait_doc])*
        #[expect(clippy::missing_errors_doc, reason = "the contract in the module's docs and the man page cited hold")]
        pub trait $trait {$(
            $(#[$doc])*
            fn $name(&self $(, $arg: $type)*) -> $crate::failure::Result<$answer> {
                $(let _ = $arg;)*
                Err($crate::failure::Failure::NotModelled(stringify!($name)))
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
    };
}

pub(crate) use operations;
