//! Flags for what other crates declare: the table of settings, and enumerations whose values have names.

use std::ops::Deref;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use evobit_data::Named;
use evobit_train::settings::{Setting, Settings};

/// The settings that flags give. A flag follows from each entry of the table in `evobit_train::settings`.
#[derive(Debug, Default)]
pub struct SettingsArgs(pub Settings);

/// The settings of data alone.
#[derive(Debug, Default)]
pub struct DataSettingsArgs(pub Settings);

/// The heading that the settings of data stand under.
const DATA: &str = "Data";

impl Deref for SettingsArgs {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

/// Makes flags of those settings of the table for which this is true.
macro_rules! flags_of {
    ($type:ident, $is_meant:expr) => {
        impl Args for $type {
            fn augment_args(command: Command) -> Command {
                command.args(Settings::all().into_iter().filter($is_meant).filter_map(flag))
            }

            fn augment_args_for_update(command: Command) -> Command {
                Self::augment_args(command)
            }
        }

        impl FromArgMatches for $type {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                let mut args = Self::default();
                args.update_from_arg_matches(matches)?;
                Ok(args)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                update(&mut self.0, matches)
            }
        }
    };
}
flags_of!(SettingsArgs, |_| true);
// The source itself is an argument there.
flags_of!(DataSettingsArgs, |setting| {
    setting.flag.is_some_and(|(heading, _)| heading == DATA) && setting.key != "data"
});

/// Sets what flags give; those that the command does not have are left as they are.
fn update(settings: &mut Settings, matches: &ArgMatches) -> Result<(), Error> {
    for setting in Settings::all().iter().filter(|setting| setting.flag.is_some()) {
        for text in matches.try_get_many::<String>(&setting.key).ok().flatten().into_iter().flatten() {
            // The parser of the flag has read the same text.
            (setting.set)(settings, text)
                .map_err(|wrong| Error::raw(clap::error::ErrorKind::ValueValidation, wrong))?;
        }
    }
    Ok(())
}

/// The flag of a setting, if it has one. Its value stays text, which has been read once to see that it can be.
fn flag(setting: Setting) -> Option<Arg> {
    let Setting { key, help, default, flag, names, is_list, is_switch, is_signed, set } = setting;
    let (heading, value) = flag?;
    let help = if default.is_empty() { help.to_owned() } else { format!("{help} [default: {default}]") };
    let arg = Arg::new(key.clone()).long(key).help(help).help_heading(heading).value_name(value);
    let arg = arg.allow_negative_numbers(is_signed);
    let arg = if names.is_empty() {
        let read = move |text: &str| set(&mut Settings::default(), text).map(|()| text.to_owned());
        arg.value_parser(read)
    } else {
        arg.value_parser(possible(names))
    };
    // Its value is seen in files alone.
    let arg = if is_switch {
        arg.num_args(0..=1).require_equals(true).default_missing_value("true").hide_possible_values(true)
    } else {
        arg
    };
    Some(if is_list { arg.action(ArgAction::Append).value_delimiter(',') } else { arg })
}

/// Reads the name of a value of an enumeration.
pub(super) fn named<T: Named>() -> impl TypedValueParser<Value = T> {
    let names = T::ALL.iter().map(|&(_, name, help)| (name, help));
    possible(names).map(|name| name.parse().expect("only names of the table get here"))
}

/// Reads one of these names, each with its meaning.
fn possible(names: impl IntoIterator<Item = (&'static str, &'static str)>) -> PossibleValuesParser {
    names.into_iter().map(|(name, help)| PossibleValue::new(name).help(help)).collect::<Vec<_>>().into()
}
