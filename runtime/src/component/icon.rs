//! Icons of servers and components.

use std::{borrow::Cow, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};

/// An icon: a URL or the picture itself as a data URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// `https:` or `data:` URI.
    pub source: Cow<'static, str>,
    /// The media type; needed where the URL does not show it.
    pub media_type: Option<Cow<'static, str>>,
    /// The sizes that it serves: `48x48`, `any`.
    pub sizes: Vec<Cow<'static, str>>,
    /// The background that it is meant for.
    pub theme: Option<Theme>,
}

/// The background that an icon is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// A light background.
    Light,
    /// A dark background.
    Dark,
}

/// Why there is no icon.
#[derive(Debug, thiserror::Error)]
pub enum IconError {
    /// Clients load icons from `https:` and `data:` only; anything else would never show.
    #[error("the icon `{0}` is neither an https nor a data URI; use Icon::file for a file")]
    Scheme(String),
    /// A data URI needs a media type of a picture and base64 data.
    #[error("the icon's data URI is wrong: it has to begin with `data:image/…;base64,` and go on in base64")]
    Data,
    /// The file cannot be read.
    #[error("the icon file {path} cannot be read: {error}")]
    File {
        /// The path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is none of PNG, JPEG, GIF, WebP and SVG.
    #[error("the icon is none of PNG, JPEG, GIF, WebP and SVG")]
    Format,
}

impl Icon {
    /// An icon at a URL.
    ///
    /// # Errors
    /// [`IconError::Scheme`] and [`IconError::Data`], before a client stumbles over it.
    pub fn url(url: impl Into<Cow<'static, str>>) -> Result<Self, IconError> {
        let source = url.into();
        if let Some(data) = source.strip_prefix("data:") {
            let picture = data.strip_prefix("image/").and_then(|rest| rest.split_once(";base64,"));
            if picture.is_none_or(|(_, data)| BASE64_STANDARD.decode(data).is_err()) {
                return Err(IconError::Data);
            }
        } else if !source.starts_with("https://") && !source.starts_with("http://") {
            return Err(IconError::Scheme(source.into_owned()));
        }
        Ok(Self { source, media_type: None, sizes: Vec::new(), theme: None })
    }

    /// A picture as a data URI; its type and size are read from it.
    ///
    /// # Errors
    /// [`IconError::Format`]
    pub fn data(picture: &[u8]) -> Result<Self, IconError> {
        let (media_type, size) = inspect(picture).ok_or(IconError::Format)?;
        let source = format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(picture));
        Ok(Self { source: source.into(), media_type: Some(media_type.into()), sizes: vec![size.into()], theme: None })
    }

    /// [`Icon::data`] of a file.
    ///
    /// # Errors
    /// [`IconError::File`], [`IconError::Format`]
    pub fn file(path: impl AsRef<Path>) -> Result<Self, IconError> {
        let path = path.as_ref();
        let picture =
            std::fs::read(path).map_err(|error| IconError::File { path: path.display().to_string(), error })?;
        Self::data(&picture)
    }

    /// Says the media type.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<Cow<'static, str>>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Adds a size, `48x48` or `any`.
    #[must_use]
    pub fn size(mut self, size: impl Into<Cow<'static, str>>) -> Self {
        self.sizes.push(size.into());
        self
    }

    /// Says which background it is meant for.
    #[must_use]
    pub fn theme(mut self, theme: Theme) -> Self {
        self.theme = Some(theme);
        self
    }
}

/// The media type and size of a picture, by its first bytes.
fn inspect(picture: &[u8]) -> Option<(&'static str, String)> {
    let big = |at: usize| Some(u32::from_be_bytes(picture.get(at..at + 4)?.try_into().ok()?));
    let little = |at: usize| Some(u16::from_le_bytes(picture.get(at..at + 2)?.try_into().ok()?));
    if picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(("image/png", format!("{}x{}", big(16)?, big(20)?)));
    }
    if picture.starts_with(b"GIF8") {
        return Some(("image/gif", format!("{}x{}", little(6)?, little(8)?)));
    }
    if picture.starts_with(b"\xff\xd8\xff") {
        return Some(("image/jpeg", jpeg_size(picture)?));
    }
    if picture.starts_with(b"RIFF") && picture.get(8..12)? == b"WEBP" {
        // Only the extended header tells the size plainly.
        let size = match picture.get(12..16)? {
            b"VP8X" => {
                let side = |at: usize| {
                    let bytes = picture.get(at..at + 3)?;
                    Some(1 + (u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16))
                };
                format!("{}x{}", side(24)?, side(27)?)
            }
            b"VP8 " => format!("{}x{}", little(26)? & 0x3fff, little(28)? & 0x3fff),
            _ => "any".to_owned(),
        };
        return Some(("image/webp", size));
    }
    let text = std::str::from_utf8(picture).ok()?.trim_start_matches('\u{feff}').trim_start();
    (text.starts_with('<') && text.contains("<svg")).then(|| ("image/svg+xml", "any".to_owned()))
}

/// The size in the first frame header.
fn jpeg_size(picture: &[u8]) -> Option<String> {
    let mut at = 2;
    loop {
        let marker = *picture.get(at + 1)?;
        let big = |at: usize| Some(u16::from_be_bytes(picture.get(at..at + 2)?.try_into().ok()?));
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some(format!("{}x{}", big(at + 7)?, big(at + 5)?));
        }
        at += 2 + usize::from(big(at + 2)?.max(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_tell_their_type_and_size() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 0, 48, 0, 0, 0, 32]);
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 24];
        for (picture, media_type, size) in [
            (&png[..], "image/png", "48x32"),
            (&b"GIF89a\x10\0\x08\0"[..], "image/gif", "16x8"),
            (&jpeg[..], "image/jpeg", "24x16"),
            (&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], "image/svg+xml", "any"),
        ] {
            let icon = Icon::data(picture).expect(media_type);
            assert_eq!((icon.media_type.as_deref(), icon.sizes[0].as_ref()), (Some(media_type), size));
            assert!(Icon::url(icon.source).is_ok(), "{media_type}: the data URI is right");
        }
    }

    #[test]
    fn wrong_icons_are_refused_at_once() {
        assert!(matches!(Icon::data(b"hello"), Err(IconError::Format)));
        assert!(matches!(Icon::data(b"\xff\xd8\xff"), Err(IconError::Format)));
        assert!(matches!(Icon::url("icon.png"), Err(IconError::Scheme(_))));
        for data in ["data:text/plain;base64,aGk=", "data:image/png,abc", "data:image/png;base64,%%%"] {
            assert!(matches!(Icon::url(data), Err(IconError::Data)), "{data}");
        }
    }
}
