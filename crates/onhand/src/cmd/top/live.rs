//! The view that refreshes itself. However it ends, the terminal is as it was: by a key, by a
//! signal, by an error or by a panic.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use crossterm::cursor::{Hide, MoveTo, MoveToNextLine, Show};
use crossterm::event::{self, Event, KeyCode, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::reading::Reading;
use super::show::{Shown, lines};
use super::{EVERY, Source};

/// How long a key may wait to be seen, and the end for whoever waits for keys.
const LOOK: Duration = Duration::from_millis(100);

pub(super) async fn show(source: &Source, first: Reading) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _screen = Screen::enter().context("this terminal cannot show it; there is --once")?;
    let done = CancellationToken::new();
    let keys = spawn_blocking({
        let done = done.clone();
        move || wait_for_the_end(&done)
    });
    let _done = done.drop_guard();
    tokio::select! {
        failed = refresh(source, first) => failed,
        asked = keys => Ok(asked??),
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// For as long as it can be drawn.
async fn refresh(source: &Source, mut before: Reading) -> anyhow::Result<()> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trouble: Option<String> = None;
    let mut shown = lines(&Shown::new(&before, &before));
    ticks.tick().await;
    loop {
        draw(&shown, trouble.as_deref())?;
        ticks.tick().await;
        match source.read(Some(&before)).await {
            Ok(now) => {
                shown = lines(&Shown::new(&before, &now));
                before = now;
                trouble = None;
            }
            Err(error) => trouble = Some(worker::error_chain(&error)),
        }
    }
}

/// Returns when a key asks for the end, or somebody else does.
fn wait_for_the_end(done: &CancellationToken) -> io::Result<()> {
    while !done.is_cancelled() {
        if event::poll(LOOK)?
            && let Event::Key(key) = event::read()?
        {
            let is_interrupt =
                key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if is_interrupt || matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc) {
                break;
            }
        }
    }
    Ok(())
}

fn draw(lines: &[String], trouble: Option<&str>) -> io::Result<()> {
    let (columns, rows) = size()?;
    let mut out = io::stdout().lock();
    queue!(out, MoveTo(0, 0))?;
    let old = trouble.map(|why| format!("These numbers are old: {why}"));
    let ends = "q ends it".to_owned();
    let all = old.iter().chain(lines).chain([&ends]);
    for line in all.take(usize::from(rows).saturating_sub(1)) {
        let fits: String = line.chars().take(usize::from(columns)).collect();
        queue!(out, Print(fits), Clear(ClearType::UntilNewLine), MoveToNextLine(1))?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()
}

/// The terminal while it is ours. Dropping it gives it back.
struct Screen;

impl Screen {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let screen = Self;
        // A panic's message is for the screen that stays.
        let said = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            said(panic);
        }));
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Twice is as good as once.
fn give_back() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
