//! Values separated by commas, for spreadsheets and programs (A3, P0).

use crate::error::{Result, ServiceError};

/// What a spreadsheet would take a value for a formula by.
pub(crate) const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Rows as text. What a spreadsheet would take for a formula gets an apostrophe in front: names come from people.
///
/// # Errors
/// A line cannot be written.
pub fn lines(rows: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| {
            if cell.starts_with(FORMULAS) {
                format!("'{cell}")
            } else {
                cell.clone()
            }
        });
        // Into memory: it cannot fail.
        writer
            .write_record(cells)
            .map_err(|_| ServiceError::invalid("export", "a line cannot be written"))?;
    }
    let bytes = writer.into_inner().unwrap_or_default();
    Ok(String::from_utf8(bytes).unwrap_or_default())
}
