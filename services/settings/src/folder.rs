//! What lies in the folder when the process starts.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::file::{Document, read};
use crate::save::{Besides, FILE};
use crate::store::LARGEST_FILE;

/// A file to take over at start, as from another device; removed when that is done.
pub const IMPORT: &str = "settings.xml.import";

/// So many settings that cannot be understood are named in the log, the others counted.
const SHOWN: usize = 8;

/// The settings as found.
#[derive(Debug)]
pub struct Found {
    /// The settings, possibly none.
    pub document: Document,
    /// What has to be done with the files at the first save.
    pub besides: Besides,
    /// Whether the file must be written although nothing has changed yet.
    pub save: bool,
    /// What the user should know, a line each.
    pub news: Vec<String>,
    /// What the user should look after, a line each.
    pub warnings: Vec<String>,
}

/// The file is there but cannot be read, so that nobody may put another in its place.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read: {reason}. The settings in it must not be lost, so this service does not start without them; \
         give the file to the user that runs it (chown), or move it away", path.display())]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub reason: io::Error,
}

enum Content {
    Missing,
    Broken(String),
    Document(Document),
}

/// Reads the folder. It and the file may be missing. A file that is no settings file will be kept aside as
/// `settings.xml.broken-<n>`, and so will one of which something had to be left out.
///
/// `unique_id` is this machine's: an import from a machine with another one loses what belonged to its devices.
///
/// # Errors
/// [`Unreadable`].
pub fn open(folder: &Path, unique_id: &str) -> Result<Found, Unreadable> {
    let mut found = Found {
        document: Document::empty(unique_id),
        besides: Besides::default(),
        save: false,
        news: Vec::new(),
        warnings: Vec::new(),
    };
    let imported = take_import(folder, unique_id, &mut found);
    if !imported {
        take_file(folder, &mut found)?;
    }
    found.save |= found.besides != Besides::default();
    unique_id.clone_into(&mut found.document.unique_id);
    Ok(found)
}

fn take_import(folder: &Path, unique_id: &str, found: &mut Found) -> bool {
    let path = folder.join(IMPORT);
    match content(&path) {
        Ok(Content::Missing) => false,
        Ok(Content::Document(mut document)) => {
            let foreign = document.unique_id != unique_id;
            if foreign {
                document.keep_what_any_device_can_use();
            }
            let without = if foreign { ", without what belongs to the device it comes from" } else { "" };
            found.news.push(format!("{} is taken over{without}", path.display()));
            found.besides.remove.push(path.clone());
            found.take(folder, &path, document);
            true
        }
        Ok(Content::Broken(reason)) => {
            found.keep(folder, &path, &format!("is no settings file ({reason}) and is not taken over"));
            found.besides.remove.push(path);
            false
        }
        Err(reason) => {
            found.warnings.push(format!("{} cannot be read: {reason}. It is not taken over", path.display()));
            false
        }
    }
}

fn take_file(folder: &Path, found: &mut Found) -> Result<(), Unreadable> {
    let path = folder.join(FILE);
    match content(&path).map_err(|reason| Unreadable { path: path.clone(), reason })? {
        Content::Missing => {
            found.news.push(format!("{} is not there: starting without settings", path.display()));
            found.save = true;
        }
        Content::Document(document) => found.take(folder, &path, document),
        Content::Broken(reason) => {
            found.keep(folder, &path, &format!("is no settings file ({reason}): starting without settings"));
        }
    }
    Ok(())
}

impl Found {
    fn take(&mut self, folder: &Path, path: &Path, document: Document) {
        if !document.left_out.is_empty() {
            let (shown, more) = document.left_out.split_at(document.left_out.len().min(SHOWN));
            let more = if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
            let what = shown.join("; ");
            self.keep(folder, path, &format!("has settings that cannot be understood: {what}{more}"));
        }
        self.document = document;
    }

    fn keep(&mut self, folder: &Path, path: &Path, why: &str) {
        let taken = |to: &PathBuf| to.exists() || self.besides.keep.iter().any(|(_, other)| other == to);
        let mut names = (1..).map(|n: u32| folder.join(format!("{FILE}.broken-{n}")));
        // The numbers do not end before a name is free.
        let Some(aside) = names.find(|to| !taken(to)) else { return };
        self.warnings.push(format!("{} {why}. It is kept as {}", path.display(), aside.display()));
        self.besides.keep.push((path.to_owned(), aside));
    }
}

fn content(path: &Path) -> io::Result<Content> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Something else stands where the folder should be: nothing can be lost either.
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Content::Missing);
        }
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    // One byte more than allowed shows that the file is too large.
    file.take(LARGEST_FILE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST_FILE {
        return Ok(Content::Broken(format!("larger than {LARGEST_FILE} bytes")));
    }
    Ok(match String::from_utf8(bytes) {
        Err(_) => Content::Broken("not UTF-8".to_owned()),
        Ok(text) => match read(&text) {
            Ok(document) => Content::Document(document),
            Err(broken) => Content::Broken(broken.to_string()),
        },
    })
}
