//! Values as `cachex config` shows them: as they could be written in the file.

use cachex_base::text::values::{
    AutoAllow, AutoOutputs, AutoQuirks, AutoTimes, ColorStrip, ExeMode, ExitCodes, InputPattern,
    Limit, Mode, NamePattern, OutputPattern, PathPattern, PrivateKey, PublicKey, ReplayMode,
    StdinMode, Tag,
};
use cachex_store::settings::{RemoteMode, Tier};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A value that can be shown.
pub trait Shown {
    fn shown(&self) -> Value;
}

macro_rules! shown {
    ($($type:ty: |$value:ident| $shown:expr;)+) => {
        $(impl Shown for $type {
            fn shown(&self) -> Value {
                let $value = self;
                json!($shown)
            }
        })+
    };
}

shown! {
    bool: |on| on;
    u8: |number| number;
    u64: |number| number;
    String: |text| text;
    OsString: |text| text.to_string_lossy();
    PathBuf: |path| path.to_string_lossy();
    Duration: |span| humantime::format_duration(*span).to_string();
    Limit: |limit| limit.0.map_or(json!(Limit::NEVER), |span| span.shown());
    ExitCodes: |codes| if codes.are_all() { "all".to_owned() } else { codes.to_string() };
    // The key is secret.
    PrivateKey: |_key| true;
    Vec<String>: |texts| texts;
    Vec<NamePattern>: |names| texts(names, |name| name.as_str().to_owned());
    Vec<PathPattern>: |paths| texts(paths, |path| path.as_str().to_owned());
    Vec<InputPattern>: |inputs| texts(inputs, ToString::to_string);
    Vec<OutputPattern>: |outputs| texts(outputs, ToString::to_string);
    Vec<PublicKey>: |keys| texts(keys, ToString::to_string);
    Vec<Tag>: |tags| texts(tags, |tag| tag.0.clone());
    Vec<AutoAllow>: |allowed| texts(allowed, choice);
    Vec<Tier>: |tiers| match &tiers[..] {
        [tier] => json!(tier.url.to_string()),
        tiers => texts(tiers, |tier| tier.url.to_string()),
    };
    AutoOutputs: |it| choice(it);
    AutoQuirks: |it| choice(it);
    AutoTimes: |it| choice(it);
    ColorStrip: |it| choice(it);
    ExeMode: |it| choice(it);
    Mode: |it| choice(it);
    RemoteMode: |it| choice(it);
    ReplayMode: |it| choice(it);
    StdinMode: |it| choice(it);
}

fn texts<T>(items: &[T], text: impl Fn(&T) -> String) -> Value {
    items.iter().map(text).collect()
}

fn choice(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
