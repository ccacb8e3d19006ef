//! Names of credentials, and the forms of tokens.

/// Endings of names of credentials, without dashes, dots and underscores.
pub const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "accountkey",
    "apikey",
    "appkey",
    "applicationkey",
    "authkey",
    "cookie",
    "credential",
    "credentials",
    "encryptionkey",
    "functionskey",
    "licensekey",
    "masterkey",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "secretid",
    "secretkey",
    "sharedkey",
    "signingkey",
    "storagekey",
    "subscriptionkey",
    "token",
];

/// Names of credentials that have to be a word of their own: `DB_PASS` is one, `bypass` is not.
pub const SECRET_WORDS: &[&str] = &["auth", "bearer", "pass", "pat", "pin", "psk", "pw", "pwd"];

/// Names of credentials in the query of a URL, where short names are common.
pub const SECRET_QUERIES: &[&str] = &["code", "key", "sig", "signature"];

/// Prefixes of tokens of known forms.
pub const TOKENS: &[&str] = &[
    "AGE-SECRET-KEY-",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT3",
    "SG.",
    "dckr_pat_",
    "doo_v1_",
    "dop_v1_",
    "dor_v1_",
    "figd_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glcbt-",
    "gldt-",
    "glpat-",
    "glptt-",
    "glrt-",
    "gsk_",
    "hf_",
    "hvb.",
    "hvs.",
    "lin_api_",
    "npm_",
    "nvapi-",
    "pul-",
    "pypi-",
    "rk_live_",
    "rk_test_",
    "shpat_",
    "shpss_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "sntrys_",
    "tskey-",
    "whsec_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxe-",
    "xoxp-",
    "xoxs-",
    "ya29.",
];

/// URLs that anyone who knows them may write to, up to the secret part.
pub const WEBHOOKS: &[&str] =
    &["://hooks.slack.com/", "://discord.com/api/webhooks/", "://api.telegram.org/bot"];

/// The minimum length of a token of a known form.
pub const TOKEN_LENGTH: usize = 20;

/// Short options that take a credential: their commands, the option, its form, and the letters of
/// options without a value that may precede it (`-sSu`).
pub const SHORT_OPTIONS: &[(&[&str], &str, Form, &str)] = &[
    (&["curl", "wcurl"], "-u", Form::User, OF_CURL),
    (&["curl"], "-U", Form::User, OF_CURL),
    (&["curl"], "-b", Form::Cookie, OF_CURL),
    (&["curl"], "-E", Form::User, OF_CURL),
    (&["xh", "xhs", "http", "https"], "-a", Form::User, "jfvhbSdcIF"),
    (MYSQL, "-p", Form::Attached, ""),
    (&["7z", "7za", "7zz"], "-p", Form::Attached, ""),
    // Of docker, podman, helm and others.
    (&["login", "sshpass", "mongo", "mongosh", "mongodump", "mongorestore"], "-p", Form::Value, ""),
    (&["rabbitmqadmin", "cqlsh", "rdesktop"], "-p", Form::Value, ""),
    (&["redis-cli"], "-a", Form::Value, ""),
    (&["zip"], "-P", Form::Value, "0123456789rqjoDmueTXygFfdl"),
    (&["unzip"], "-P", Form::Value, "qojnuaLlvtp"),
    (&["sqlcmd", "bcp", "ipmitool", "mosquitto_pub", "mosquitto_sub"], "-P", Form::Value, ""),
    (&["ssh-keygen"], "-P", Form::Value, "q"),
    (&["ssh-keygen"], "-N", Form::Value, "q"),
    (
        &["ldapsearch", "ldapadd", "ldapmodify", "ldappasswd", "ldapwhoami"],
        "-w",
        Form::Value,
        "xZvnLcM",
    ),
    (&["smbclient", "rpcclient", "net"], "-U", Form::Percent, ""),
    (&["lftp"], "-u", Form::Comma, ""),
    (&["snmpget", "snmpwalk", "snmpset", "snmpbulkwalk"], "-A", Form::Value, ""),
    (&["snmpget", "snmpwalk", "snmpset", "snmpbulkwalk"], "-X", Form::Value, ""),
    (&["snmpget", "snmpwalk", "snmpset", "snmpbulkwalk"], "-c", Form::Value, ""),
    (&["openssl"], "-k", Form::Next, ""),
    (&["openssl"], "-K", Form::Next, ""),
    (&["xfreerdp", "xfreerdp3"], "/p:", Form::Attached, ""),
];

const OF_CURL: &str = "#012346aBfgGiIjJklLMnNOpqRsSvZ";
const MYSQL: &[&str] = &[
    "mysql",
    "mysqladmin",
    "mysqlcheck",
    "mysqldump",
    "mysqlimport",
    "mysqlshow",
    "mysqlsh",
    "mycli",
    "mariadb",
    "mariadb-admin",
    "mariadb-check",
    "mariadb-dump",
    "mariadb-import",
];

/// The form in which a short option takes its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Attached to the option, or in the next word.
    Value,
    /// Only attached to the option.
    Attached,
    /// Only in the next word.
    Next,
    /// Like [`Form::Value`], as `USER:PASSWORD`.
    User,
    /// Like [`Form::Value`], as `USER%PASSWORD`.
    Percent,
    /// Like [`Form::Value`], as `USER,PASSWORD`.
    Comma,
    /// Like [`Form::Value`], as `NAME=VALUE; …`, and not the name of a file.
    Cookie,
}

/// Returns whether a name of an option, a variable or a header may contain this byte.
pub fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
}

/// Returns whether this is the name of a credential.
pub fn is_secret(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| !byte.is_ascii_alphanumeric());
    let last = parts.rfind(|part| !part.is_empty()).unwrap_or_default();
    let last = last.to_ascii_lowercase();
    let mut whole: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).copied().collect();
    whole.make_ascii_lowercase();
    // `--password1`
    let digits = whole.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    whole.truncate(whole.len() - digits);
    SECRET_WORDS.iter().any(|it| last == it.as_bytes())
        || SECRET_NAMES.iter().any(|it| whole.ends_with(it.as_bytes()))
}
