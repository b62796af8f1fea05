//! What the table of settings is made into: see [`table`](super::table), which says how an entry is written.

use super::{Settings, Value};

/// What a command line or a page of help needs to know of a setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its key in files, and behind `--` its flag.
    pub key: String,
    /// What it is.
    pub help: &'static str,
    /// What stands where it is not set, in words; empty where that goes without saying.
    pub default: &'static str,
    /// The heading that its flag stands under in a page of help, and the name of its value; `None` where it has no flag.
    pub flag: Option<(&'static str, &'static str)>,
    /// The names that it takes and what they mean, where it takes names alone.
    pub names: Vec<(&'static str, &'static str)>,
    /// True where its flag takes several values, separated by commas.
    pub is_list: bool,
    /// True where its flag takes no value.
    pub is_switch: bool,
    /// True where its flag takes numbers that begin with a minus.
    pub is_signed: bool,
    /// Sets it to what its flag says; of a list, adds one more.
    pub set: fn(&mut Settings, &str) -> Result<(), String>,
}

/// What may decide a setting in place of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// A preset that stands above it.
    Preset,
    /// The model of `from`.
    Model,
}

/// The key of a field.
pub(super) fn key(field: &str) -> String {
    field.replace('_', "-")
}

/// Reads the text of a flag.
pub(super) fn set<T: Value>(place: &mut Option<T>, text: &str) -> Result<(), String> {
    let value = match place.take() {
        Some(before) => before.and(text)?,
        None => T::read(text)?,
    };
    *place = Some(value);
    Ok(())
}

/// A default of the table.
pub(super) fn constant<T: Value>(text: &str) -> T {
    T::read(text).expect("a test resolves all defaults of the table")
}

/// A default of the table that depends on the run.
pub(super) fn computed<R, T>(run: &R, rule: fn(&R) -> T) -> T {
    rule(run)
}

/// Its first argument.
macro_rules! first {
    ($first:expr, $($_rest:tt)+) => {
        $first
    };
}
pub(super) use first;

macro_rules! settings {
    ($(
        $(#[doc = $help:literal])+
        $key:ident: $type:ty {
            $(flag: $heading:ident $value:literal $($signed:ident)?,)?
            $(one_of: $operators:expr,)?
            $(default: $constant:literal,)?
            $(computed: $computed:literal = $rule:expr,)?
            $(optional: $optional:literal,)?
            $(chooses: $chooses:literal,)?
            $(check: $check:expr,)?
            $(decided_by: $($by:ident)+,)?
        }
    )+) => {
        /// What a user sets, all of it open at first.
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Settings {
            $($(#[doc = $help])+ pub $key: Option<$type>,)+
        }

        /// What a run uses: settings with nothing left open. `None` stands for no limit.
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub struct TrainConfig {
            $(
                $(
                    #[doc = concat!("As set in [`Settings`], else ", $constant, ".")]
                    pub $key: $type,
                )?
                $(
                    #[doc = concat!("As set in [`Settings`], else by a rule: ", $computed, ".")]
                    pub $key: $type,
                )?
                $(
                    #[doc = concat!("As set in [`Settings`], else none. ", $optional)]
                    #[serde(skip_serializing_if = "Option::is_none")]
                    pub $key: Option<$type>,
                )?
            )+
        }

        impl Settings {
            /// All settings, in their order in files and in pages of help.
            #[must_use]
            pub fn all() -> Vec<super::Setting> {
                vec![$(super::Setting {
                    key: super::declare::key(stringify!($key)),
                    help: concat!($($help),+).trim_ascii_start(),
                    default: concat!($($constant,)? $($computed,)? $($optional,)? $($chooses,)?),
                    flag: [$((stringify!($heading), $value))?].first().copied(),
                    names: [$(operators::names($operators))?].into_iter().next()
                        .unwrap_or_else(<$type as super::Value>::names),
                    is_list: <$type as super::Value>::IS_LIST,
                    is_switch: <$type as super::Value>::IS_SWITCH,
                    is_signed: !<[&str]>::is_empty(&[$($(stringify!($signed))?)?]),
                    set: |settings, text| super::declare::set(&mut settings.$key, text),
                },)+]
            }

            /// Each of these settings that is set, else that of `other`.
            pub(super) fn each_or(self, other: Self) -> Self {
                Self { $($key: self.$key.or(other.$key),)+ }
            }

            /// These settings with all open that are decided so.
            pub(super) fn without(self, by: super::declare::By) -> Self {
                use super::declare::By;
                let decided = |all: &[By]| all.contains(&by);
                Self { $($key: self.$key.filter(|_| !decided(&[$($(By::$by),+)?])),)+ }
            }

            /// The key of the first that is set of those that are decided so.
            pub(super) fn first_set(&self, by: super::declare::By) -> Option<String> {
                use super::declare::By;
                let decided = |all: &[By]| all.contains(&by);
                let all = [$((stringify!($key), self.$key.is_some() && decided(&[$($(By::$by),+)?]))),+];
                all.iter().find(|(_, is_set)| *is_set).map(|(key, _)| super::declare::key(key))
            }
        }

        /// Each setting as it is set, else by its default.
        impl Open<'_> {
            $(
                $(
                    pub(super) fn $key(&self) -> $type {
                        self.settings.$key.clone().unwrap_or_else(|| super::declare::constant($constant))
                    }
                )?
                $(
                    pub(super) fn $key(&self) -> $type {
                        self.settings.$key.clone().unwrap_or_else(|| super::declare::computed(self, $rule))
                    }
                )?
            )+

            /// All of them, not checked.
            pub(super) fn config(&self) -> TrainConfig {
                TrainConfig {
                    $(
                        $($key: super::declare::first!(self.$key(), $constant),)?
                        $($key: super::declare::first!(self.$key(), $computed),)?
                        $($key: super::declare::first!(self.settings.$key.clone(), $optional),)?
                    )+
                }
            }
        }

        impl TrainConfig {
            /// Checks each setting by itself.
            pub(super) fn check_each(&self) -> Result<(), String> {
                $(
                    $(operators::check($operators, stringify!($key), &self.$key)?;)?
                    $($check(&super::declare::key(stringify!($key)), &self.$key)?;)?
                )+
                Ok(())
            }
        }
    };
}
pub(super) use settings;
