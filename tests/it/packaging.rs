//! Packages hold cachex, install, work, and go again without a trace; and what they say of
//! themselves comes from one place.

mod installer;
mod jobs;

use crate::harness::{Cachex, Call, World, cachex, quoted, unshares};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The platforms of a release.
const TARGETS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-gnu",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A package of the workspace, as cargo reads its Cargo.toml.
fn manifest(name: &str) -> Value {
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let told = Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().unwrap();
    let mut told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let packages = told["packages"].as_array_mut().unwrap();
    packages.iter_mut().find(|package| package["name"] == name).unwrap().take()
}

/// This machine's platform.
fn target() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// `packaging/make`, into `dist` of the world, for a release that lies at an address.
fn make(cachex: &Cachex, arguments: &str) -> Call {
    // The time of the commit is asked of git, which may distrust a checkout of somebody else.
    cachex.shell(&making(cachex, arguments)).env("SOURCE_DATE_EPOCH", "1600000000")
}

fn making(cachex: &Cachex, arguments: &str) -> String {
    let make = quoted(root().join("packaging/make"));
    let out = quoted(cachex.path("dist"));
    let address = "--repository https://example.invalid/cachex";
    format!("{make} --out {out} --level 0 {address} {arguments}")
}

/// Packs the cachex under test, without what only a debugger wants. That moves so many
/// bytes that there is no saying how long a busy machine takes.
#[track_caller]
fn packs(cachex: &Cachex, kinds: &str) {
    let binary = cachex.path("stripped");
    if !binary.exists() {
        let strip = Command::new("strip").arg("-o").args([&binary, World::binary()]).status();
        assert!(strip.unwrap().success());
    }
    let making = making(cachex, &format!("--binary {} {kinds}", quoted(binary)));
    let mut shell = Command::new("bash");
    shell.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("SOURCE_DATE_EPOCH", "1600000000");
    let made = shell.args(["-c", &making]).output().unwrap();
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success() && said.is_empty(), "{making}: {said}");
}

/// The only file of `dist` whose name ends so.
#[track_caller]
fn package(cachex: &Cachex, end: &str) -> PathBuf {
    let files = fs::read_dir(cachex.path("dist")).unwrap().map(|entry| entry.unwrap().path());
    let mut found = files.filter(|path| path.to_str().unwrap().ends_with(end));
    let package = found.next().unwrap_or_else(|| panic!("no {end}"));
    assert!(found.next().is_none(), "more than one {end}");
    package
}

/// Everything below a folder that is no folder, with its path there.
fn files_below(folder: &Path) -> Vec<String> {
    let path = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<String> = crate::remote::files_below(folder).iter().map(path).collect();
    files.sort();
    files
}

/// What is put in front of a command for root, where this is another user: in a namespace
/// of users in which it is root. None if there is no such thing here.
fn as_root() -> Option<&'static str> {
    if rustix::process::geteuid().is_root() {
        return Some("");
    }
    unshares("--map-root-user").then_some("unshare --map-root-user")
}

#[track_caller]
fn first_call_and_hit(call: &Call) {
    let version = format!("cachex {VERSION}\n");
    call.once().exits(0).prints(&version).mentions(&["cachex: miss"]);
    call.once().exits(0).prints(&version).mentions(&["cachex: hit"]);
}

/// A system with no other program in it answers a call from its store.
#[track_caller]
fn hits_in(cachex: &Cachex, root: &Path, program: &str) {
    let Some(launcher) = as_root() else { return };
    let chroot = format!("{launcher} chroot {} {program}", quoted(root));
    let call = cachex.shell(&format!("{chroot} run --verbose -- {program} --version"));
    first_call_and_hit(&call.env("CACHEX_DIR", "/store").env("PATH", "/usr/sbin:/usr/bin:/bin"));
}

#[test]
fn a_debian_package_installs_works_and_leaves_nothing() {
    let Some(launcher) = as_root() else { return };
    let cachex = cachex();
    packs(&cachex, "deb");
    let system = cachex.path("system");
    for folder in ["info", "updates"] {
        fs::create_dir_all(system.join("var/lib/dpkg").join(folder)).unwrap();
    }
    for file in ["status", "available"] {
        fs::write(system.join("var/lib/dpkg").join(file), "").unwrap();
    }
    let dpkg = |arguments: String| {
        let root = quoted(&system);
        let call = cachex.shell(&format!("{launcher} dpkg --root={root} {arguments}"));
        call.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").once().exits(0)
    };
    dpkg(format!("--install {}", quoted(package(&cachex, ".deb"))));
    for file in [
        "bin/cachex",
        "share/bash-completion/completions/cachex",
        "share/doc/cachex/copyright",
        "share/fish/vendor_completions.d/cachex.fish",
        "share/man/man1/cachex.1.gz",
        "share/man/man1/cachex-run.1.gz",
        "share/zsh/vendor-completions/_cachex",
    ] {
        assert!(system.join("usr").join(file).is_file(), "{file}");
    }
    let pages = files_below(&system.join("usr/share/man")).len();
    assert_eq!(pages, fs::read_dir(root().join("man")).unwrap().count());
    dpkg("--status cachex".into())
        .shows(&[&format!("Version: {VERSION}-1\n"), "Status: install ok"]);
    dpkg("--verify cachex".into()).prints("");
    hits_in(&cachex, &system, "/usr/bin/cachex");
    dpkg("--purge cachex".into());
    assert!(!system.join("usr").exists(), "{:?}", files_below(&system.join("usr")));
}

#[test]
fn a_wheel_installs_the_command() {
    let cachex = cachex();
    packs(&cachex, "wheel");
    let (wheel, site) = (package(&cachex, ".whl"), cachex.path("site"));
    let install = format!(
        "python3 -m pip --no-cache-dir install --no-index --no-deps --target {} {}",
        quoted(&site),
        quoted(&wheel)
    );
    cachex.shell(&install).once().exits(0);
    let program = quoted(site.join("bin/cachex"));
    first_call_and_hit(&cachex.shell(&format!("{program} run --verbose -- {program} --version")));
    let list = "python3 -m pip list --path site --format freeze --disable-pip-version-check";
    let list = cachex.shell(list).inside(cachex.path("."));
    list.once().exits(0).prints(format!("cachex-cli=={VERSION}\n"));
}

/// With npm's leave the command is the binary itself, and without it a script that starts it.
#[test]
fn a_package_of_npm_installs_the_command_with_and_without_scripts() {
    let cachex = cachex();
    packs(&cachex, "npm npm-starter");
    let name = if cfg!(target_arch = "x86_64") { "cachex-linux-x64" } else { "cachex-linux-arm64" };
    let packages = [format!("{name}-{VERSION}.tgz"), format!("cachex-{VERSION}.tgz")];
    let packages = packages.map(|name| quoted(cachex.path("dist").join(name))).join(" ");
    for (options, is_script) in [("", false), ("--ignore-scripts", true)] {
        let prefix = cachex.path(format!("prefix{options}"));
        let npm = format!("npm install --global --offline --no-audit --no-fund {options}");
        cachex.shell(&format!("{npm} --prefix {} {packages}", quoted(&prefix))).once().exits(0);
        let program = prefix.join("bin/cachex");
        assert_eq!(fs::read(&program).unwrap().starts_with(b"#!/bin/sh"), is_script);
        let program = quoted(program);
        let call = cachex.shell(&format!("{program} run --verbose -- {program} --version"));
        first_call_and_hit(&call.env("CACHEX_DIR", cachex.path(format!("store{options}"))));
    }
}

#[test]
fn what_npm_starts_says_what_is_missing() {
    let cachex = cachex();
    let starter = cachex.executable("alone/bin/cachex", text("packaging/npm/bin/cachex"));
    let alone = cachex.bare([starter]).once().exits(127).prints("");
    alone.mentions(&["the package cachex-linux-", "is missing"]);
}

#[test]
fn a_container_holds_cachex_and_nothing_else() {
    let cachex = cachex();
    packs(&cachex, "container");
    let folder = cachex.path("dist/container");
    let recipe = fs::read_to_string(folder.join("Dockerfile")).unwrap();
    let architecture = if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    let steps: Vec<String> = recipe
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.replace("$TARGETARCH", architecture))
        .collect();
    let [from, argument, copy, entry] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!([from.as_str(), argument], ["FROM scratch", "ARG TARGETARCH"]);
    let [source, place] = copy.strip_prefix("COPY ").unwrap().split(' ').collect::<Vec<_>>()[..]
    else {
        panic!("{copy}")
    };
    assert_eq!(entry, &format!("ENTRYPOINT [\"{place}\"]"));
    let system = cachex.path("system");
    fs::create_dir(&system).unwrap();
    fs::copy(folder.join(source), system.join(&place[1..])).unwrap();
    hits_in(&cachex, &system, place);
}

#[test]
fn the_same_tree_makes_the_same_packages() {
    let (one, two) = (cachex(), cachex());
    for cachex in [&one, &two] {
        packs(cachex, "tarball deb wheel container install");
    }
    let names = files_below(&one.path("dist"));
    assert_eq!(names, files_below(&two.path("dist")));
    assert_eq!(names.len(), 6, "{names:?}");
    for name in names {
        let [one, two] = [&one, &two].map(|it| fs::read(it.path("dist").join(&name)).unwrap());
        assert!(one == two, "{name} differs");
    }
}

#[test]
fn only_a_cachex_of_this_version_that_starts_everywhere_is_packed() {
    let cachex = cachex();
    let script = quoted(cachex.executable("script", "#!/bin/sh\necho cachex 0.0.0\n"));
    let cases = [
        (format!("--binary {script}"), "is no program for"),
        ("--binary /bin/sh".into(), "is linked dynamically"),
        (
            format!("--target {} --binary {}", TARGETS[0], quoted(World::binary())),
            "is no program for",
        ),
    ];
    for (options, complaint) in cases {
        make(&cachex, &format!("{options} tarball")).once().exits(1).mentions(&[complaint]);
    }
    assert_eq!(files_below(&cachex.path("dist")), [""; 0]);
}

#[test]
fn a_formula_has_the_checksums_of_the_packages_it_names() {
    let cachex = cachex();
    let missing = make(&cachex, "formula").once().exits(1);
    missing.mentions(&["names the packages of all platforms"]);
    for target in TARGETS {
        cachex.write(format!("dist/cachex-{VERSION}-{target}.tar.gz"), target);
    }
    make(&cachex, "formula sums").once().exits(0).quietly();
    let formula = fs::read_to_string(cachex.path("dist/cachex.rb")).unwrap();
    let sums = fs::read_to_string(cachex.path("dist/SHA256SUMS")).unwrap();
    for target in TARGETS {
        let name = format!("cachex-{VERSION}-{target}.tar.gz");
        let sum = sums.lines().find_map(|line| line.strip_suffix(&format!("  {name}"))).unwrap();
        let url = format!("https://example.invalid/cachex/releases/download/v{VERSION}/{name}");
        let both = format!("url \"{url}\"\n      sha256 \"{sum}\"\n");
        assert!(formula.contains(&both), "{both} is not in\n{formula}");
    }
    assert!(formula.contains(&format!("version \"{VERSION}\"\n")) && !formula.contains('@'));
    let check = cachex.shell("sha256sum --check --strict --quiet SHA256SUMS");
    check.inside(cachex.path("dist")).once().exits(0);
}

/// `cargo binstall` fills in these names, as its documentation has them.
#[test]
fn cargo_binstall_finds_the_binary_in_the_tarball() {
    let cachex = cachex();
    packs(&cachex, "tarball");
    let (manifest, target) = (manifest("cachex"), target());
    let about = &manifest["metadata"]["binstall"];
    let filled = |template: &Value, target: &str| {
        let values = [("repo", "R"), ("version", VERSION), ("name", "cachex"), ("bin", "cachex")];
        let values = values.into_iter().chain([("target", target)]);
        values.fold(template.as_str().unwrap().to_owned(), |text, (name, value)| {
            text.replace(&format!("{{ {name} }}"), value)
        })
    };
    let musl = target.replace("gnu", "musl");
    let ways = [(about, target.as_str()), (&about["overrides"][&musl], musl.as_str())];
    for (about, asked) in ways {
        let name = format!("cachex-{VERSION}-{target}.tar.gz");
        let url = filled(&about["pkg-url"], asked);
        assert_eq!(url, format!("R/releases/download/v{VERSION}/{name}"));
        let archive = quoted(cachex.path("dist").join(name));
        let list = cachex.shell(&format!("tar --list --gzip --file {archive}")).once().exits(0);
        let binary = filled(&about["bin-dir"], asked);
        assert!(list.stdout().lines().any(|line| line == binary), "{binary}");
    }
}

#[test]
fn a_release_is_of_the_version_that_its_tag_says() {
    let cachex = cachex();
    let wrong = make(&cachex, "check v99.0.0").once().exits(1);
    wrong.mentions(&["the tag is v99.0.0", &format!("has version {VERSION}")]);
    // What is missing for the right one is told: a place where releases are.
    let right = make(&cachex, &format!("check v{VERSION}")).once();
    let complaint = match manifest("cachex")["repository"] {
        Value::Null => "Cargo.toml has no `repository`",
        _ => "this is https://example.invalid/cachex",
    };
    right.exits(1).mentions(&[complaint]);
}

#[test]
fn nothing_but_cargo_toml_says_the_version() {
    // The parts that are published with it.
    let cachex = manifest("cachex");
    let parts = cachex["dependencies"].as_array().unwrap();
    let parts = parts.iter().filter(|part| part["path"].is_string() && part["kind"].is_null());
    let parts: Vec<&Value> = parts.collect();
    assert!(parts.len() >= 2);
    for part in parts {
        assert_eq!(part["req"].as_str(), Some(format!("={VERSION}").as_str()), "{part}");
        assert_eq!(manifest(part["name"].as_str().unwrap())["version"], VERSION, "{part}");
    }
    let mut files = Vec::new();
    for folder in ["packaging", ".github"] {
        let inside = files_below(&root().join(folder));
        files.extend(inside.iter().map(|file| format!("{folder}/{file}")));
    }
    files.extend(["action.yml", "flake.nix"].map(str::to_owned));
    assert!(files.len() > 12);
    for file in files {
        // In an example of a call, say.
        let lines = text(&file);
        let mut lines = lines.lines().filter(|line| !line.trim_start().starts_with('#'));
        let said = lines.find(|line| line.contains(VERSION) && !line.contains("packaging/make"));
        assert_eq!(said, None, "{file}");
    }
}

/// The table in docs/install.md, and what cargo says.
#[test]
fn the_table_of_features_counts_the_packages_of_each() {
    let cachex = cachex();
    let script = quoted(root().join("packaging/features"));
    let cargo = Path::new(env!("CARGO")).parent().unwrap().to_str().unwrap().to_owned();
    let path = format!("{cargo}:/usr/local/bin:/usr/bin:/bin");
    let mut counting = cachex.shell(&format!("{script} packages")).env("PATH", path);
    // Where cargo keeps what it has downloaded.
    for name in ["CARGO_HOME", "RUSTUP_HOME", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            counting = counting.env(name, value);
        }
    }
    let counted = counting.env("CARGO_NET_OFFLINE", "true").once().exits(0).stdout();
    let page = text("docs/install.md");
    let rows: Vec<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(set, rest)| Some(format!("{set} {}", rest.split_once(" |")?.0)))
        .collect();
    for line in counted.lines() {
        let stale = "`packaging/features table` writes it anew";
        assert!(rows.iter().any(|row| row == line), "docs/install.md does not say {line}: {stale}");
    }
    assert_eq!(counted.lines().count(), 10);
}
