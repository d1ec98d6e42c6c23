//! The numbers that operations travel under: the trait, and the place in it.

/// Makes the numbers of a trait's operations of its table.
macro_rules! numbers {
    (trait $trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        /// The operations of the trait of this name.
        #[allow(non_camel_case_types, reason = "the names are the methods'")]
        #[derive(Clone, Copy)]
        #[repr(u8)]
        pub(in crate::agent) enum $trait { $($name),* }

        impl $trait {
            /// All, each at its number.
            const ALL: &[Self] = &[$(Self::$name),*];

            pub(in crate::agent) fn number(self) -> u8 {
                self as u8
            }

            pub(in crate::agent) fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }
    };
}

standin::Files! { numbers }
standin::Processes! { numbers }
standin::Namespaces! { numbers }
standin::Channels! { numbers }
standin::Clock! { numbers }

/// The traits, and a message without an operation.
pub(super) mod part {
    pub(in crate::agent) const NOTHING: u8 = 0;
    pub(in crate::agent) const FILES: u8 = 1;
    pub(in crate::agent) const PROCESSES: u8 = 2;
    pub(in crate::agent) const NAMESPACES: u8 = 3;
    pub(in crate::agent) const CHANNELS: u8 = 4;
    pub(in crate::agent) const CLOCK: u8 = 5;
}
