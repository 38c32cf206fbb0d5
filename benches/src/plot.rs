//! Plots, as SVG files for the documents.

use std::path::Path;

use plotters::prelude::*;

/// What a bar's colour stands for, by place.
const COLOURS: [RGBColor; 3] =
    [RGBColor(0x9e, 0xca, 0xe1), RGBColor(0x42, 0x92, 0xc6), RGBColor(0x08, 0x45, 0x94)];

const ROW: i32 = 16;
const LEFT: i32 = 260;

/// Horizontal bars, a group for each row.
pub(crate) fn bars(
    file: &Path,
    title: &str,
    legend: &[String],
    rows: &[(String, Vec<f64>)],
) -> anyhow::Result<()> {
    let groups = i32::try_from(rows.len())?;
    let each = i32::try_from(legend.len())? * ROW + 8;
    let size = (900, u32::try_from(groups * each + 70)?);
    let canvas = SVGBackend::new(file, size).into_drawing_area();
    canvas.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font();
    canvas.draw(&Text::new(title.to_owned(), (10, 8), text(18)))?;
    for (place, name) in legend.iter().enumerate() {
        let x = 10 + i32::try_from(place)? * 110;
        canvas.draw(&Rectangle::new([(x, 36), (x + 12, 48)], COLOURS[place % 3].filled()))?;
        canvas.draw(&Text::new(name.clone(), (x + 18, 34), text(14)))?;
    }
    let most = rows.iter().flat_map(|(_, numbers)| numbers).fold(1.0, |most: f64, n| most.max(*n));
    for (group, (name, numbers)) in rows.iter().enumerate() {
        let top = 62 + i32::try_from(group)? * each;
        canvas.draw(&Text::new(name.clone(), (10, top + each / 2 - 12), text(14)))?;
        for (place, number) in numbers.iter().enumerate() {
            let y = top + i32::try_from(place)? * ROW;
            #[expect(clippy::cast_possible_truncation, reason = "a width in pixels")]
            let width = (number / most * 520.0) as i32;
            let bar = [(LEFT, y), (LEFT + width.max(1), y + ROW - 3)];
            canvas.draw(&Rectangle::new(bar, COLOURS[place % 3].filled()))?;
            let label = crate::table::whole(*number);
            canvas.draw(&Text::new(label, (LEFT + width + 6, y), text(12)))?;
        }
    }
    canvas.present()?;
    Ok(())
}
