//! The page of `--html`, looked at in a browser.

use super::log::fortnight;
use crate::harness::{Cachex, Outcome, cachex, quoted};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

const SIZE: (u32, u32) = (1200, 1600);

/// A page of a fortnight's figures.
fn page() -> (Cachex, PathBuf) {
    let cachex = cachex();
    fortnight().replaces(&cachex);
    let page = cachex.path("page.html");
    cachex.cli(["stats"]).option("--html", &page).once().exits(0).quietly().prints("");
    (cachex, page)
}

/// Opens a page in a browser that knows nobody and sees nothing else.
#[track_caller]
fn browse(cachex: &Cachex, page: &Path, options: &str) -> Outcome {
    let profile = tempfile::tempdir_in(cachex.path("tmp")).unwrap();
    let outcome = cachex
        .shell(&format!(
            "exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
             --no-first-run --disable-background-networking --disable-component-update \
             --disable-sync --disable-extensions --host-resolver-rules='MAP * ~NOTFOUND' \
             --force-color-profile=srgb --force-device-scale-factor=1 --hide-scrollbars \
             --user-data-dir={} --window-size={},{} --enable-logging=stderr {options} {}",
            quoted(profile.path()),
            SIZE.0,
            SIZE.1,
            quoted(format!("file://{}", page.display())),
        ))
        .once();
    let complaints = outcome.stderr();
    assert!(outcome.succeeded(), "tests/run installs what is missing:\n{complaints}");
    outcome
}

/// What a page says to whoever develops it.
fn console(outcome: &Outcome) -> Vec<String> {
    let said = outcome.stderr();
    said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
}

#[test]
fn a_browser_finds_the_figures_and_nothing_to_complain_of() {
    let (cachex, page) = page();
    let outcome = browse(&cachex, &page, "--dump-dom");
    let dom = outcome.stdout();
    for figure in [
        ">75.0 %<",
        ">60 hits of 80 calls<",
        ">9m<",
        "<code>kubectl</code></th><td>57</td><td>45</td><td>12</td><td>78.9 %</td><td>9m</td><td>0.7 ms</td>",
        "<code>date</code>: a hit takes 0.7 ms, the run took 0.5 ms: caching it costs time",
        "<th scope=\"row\">not recorded yet</th><td>20</td>",
        ": 20 hits, 3 misses</title>",
        "<code>&lt;i&gt;|`&amp;\"'*</code>",
    ] {
        assert!(dom.contains(figure), "the page lacks {figure}:\n{dom}");
    }
    assert_eq!(dom.matches("<svg role=\"img\"").count(), 4, "{dom}");
    // The name that would be markup is none.
    assert!(!dom.contains("<i>"), "{dom}");
    assert!(console(&outcome).is_empty(), "{:?}", console(&outcome));

    // A page that has something to complain of is heard.
    let faulty = cachex.write("faulty.html", "<script>console.error('heard')</script>");
    let outcome = browse(&cachex, &faulty, "--dump-dom");
    assert!(console(&outcome).iter().any(|line| line.contains("heard")), "{}", outcome.stderr());
}

#[test]
fn a_browser_draws_it_by_day_and_by_night() {
    let (cachex, page) = page();
    for (scheme, paper, ink) in [
        ("1", "f5f6f8", ["1f9d6b", "e8a33d", "4a73d8"]),
        ("0", "12161c", ["34c38a", "d9963a", "7b9cf0"]),
    ] {
        let picture = cachex.path("page.png");
        let options = format!(
            "--blink-settings=preferredColorScheme={scheme} --screenshot={}",
            quoted(&picture)
        );
        browse(&cachex, &page, &options);
        let colours = colours(&picture);
        let count = |colour: &str| colours.get(colour).copied().unwrap_or(0);
        assert!(count(paper) > 200_000, "{} pixels are the page's {paper}", count(paper));
        for colour in ink {
            assert!(count(colour) > 500, "{} pixels are {colour}", count(colour));
        }
        // Text has shades.
        assert!(colours.len() > 100, "{} colours", colours.len());
        fs::remove_file(picture).unwrap();
    }
}

/// How many pixels of a picture have which colour.
fn colours(picture: &Path) -> HashMap<String, usize> {
    let mut decoder = png::Decoder::new(BufReader::new(File::open(picture).unwrap()));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), SIZE);
    let mut colours = HashMap::new();
    for pixel in pixels[..info.buffer_size()].chunks(info.color_type.samples()) {
        let colour = format!("{:02x}{:02x}{:02x}", pixel[0], pixel[1], pixel[2]);
        *colours.entry(colour).or_default() += 1;
    }
    colours
}

#[test]
fn it_needs_nothing_but_itself() {
    let (cachex, page) = page();
    let html = fs::read_to_string(&page).unwrap();
    for outside in ["http:", "https:", "//", "<script", "src=", "url(", "@import", "javascript:"] {
        let found = html.find(outside).map(|at| &html[at..html.len().min(at + 80)]);
        assert!(found.is_none(), "{outside:?}: {found:?}");
    }
    assert!(html.contains("default-src 'none'"), "{html}");
    // Standard output gets the same.
    let printed = cachex.cli(["stats", "--html", "-"]).once().exits(0).quietly().stdout();
    assert_eq!(printed, html);
}

#[test]
fn whoever_cannot_see_it_is_told_the_same() {
    let (_cachex, page) = page();
    let html = fs::read_to_string(page).unwrap();
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    let charts = html.matches("<svg role=\"img\" aria-label=\"").count();
    assert_eq!((charts, html.matches("<figure>").count()), (4, 4));
    for table in ["Commands", "Days", "Misses"] {
        let id = table.to_lowercase();
        assert!(html.contains(&format!("<h2 id=\"{id}\">{table}</h2>")), "{table}");
        assert!(html.contains(&format!("aria-labelledby=\"{id}\"")), "{table}");
    }
    assert!(html.contains("<th scope=\"col\">") && html.contains("<th scope=\"row\">"));
    assert!(html.contains("prefers-color-scheme: dark"));
}
