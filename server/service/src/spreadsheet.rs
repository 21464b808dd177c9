//! Values separated by commas, for spreadsheets and programs (A3, P0).

use std::pin::Pin;

use futures::{Stream, StreamExt};

use crate::error::{Result, ServiceError};

/// A comma-separated file that is read from the database as it is sent.
pub type CsvStream = Pin<Box<dyn Stream<Item = Result<String>> + Send>>;

/// A file with these columns, and its rows as they come.
pub fn file(columns: &[&str], rows: impl Stream<Item = Result<Vec<Vec<String>>>> + Send + 'static) -> CsvStream {
    let head = vec![columns.iter().map(|column| (*column).to_owned()).collect()];
    let head = futures::stream::once(async move { lines(&head) });
    let rows = rows.map(|rows| lines(&rows?));
    Box::pin(head.chain(rows))
}

/// What `read` finds page by page: it gives what is on a page, and which page comes next; `None`: that was the last one.
///
/// Each page is read when the one before has been taken: nobody waits for a long file, and nothing is held in memory.
pub(crate) fn by_page<P, T, F>(
    first: P,
    read: impl Fn(P) -> F + Send + 'static,
) -> Pin<Box<dyn Stream<Item = Result<T>> + Send>>
where
    P: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<(T, Option<P>)>> + Send + 'static,
{
    let pages = futures::stream::try_unfold((Some(first), read), |(page, read)| async move {
        let Some(page) = page else { return Ok(None) };
        let found = read(page);
        let (found, next) = found.await?;
        Ok(Some((found, (next, read))))
    });
    Box::pin(pages)
}

/// What a spreadsheet would take a value for a formula by.
pub(crate) const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Rows as text. What a spreadsheet would take for a formula gets an apostrophe in front: names come from people. A number is none.
///
/// # Errors
/// A line cannot be written.
pub fn lines(rows: &[Vec<String>]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| {
            if cell.starts_with(FORMULAS) && cell.parse::<i64>().is_err() {
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
