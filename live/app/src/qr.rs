//! QR codes: as text for a terminal, as SVG and PNG for files.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Luma};
use qrcode::render::{svg, unicode};
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode};

/// The side of the smallest square of a picture, in pixels.
const MODULE_PIXELS: u32 = 8;

/// A QR code of a text.
pub struct Code(QrCode);

impl Code {
    /// The code of a text, with a quarter of it to spare for stains and folds.
    ///
    /// # Errors
    /// Where the text is too long for any code.
    pub fn new(text: &str) -> Result<Self, QrError> {
        QrCode::with_error_correction_level(text, EcLevel::Q).map(Self)
    }

    /// For a terminal, whatever its colours: two squares to a character.
    pub fn to_terminal(&self) -> String {
        let dark = "\u{1b}[38;5;16;48;5;231m";
        let lines = self.0.render::<unicode::Dense1x2>().build();
        let lines = lines.lines().map(|line| format!("{dark}{line}\u{1b}[0m"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// As a drawing.
    pub fn to_svg(&self) -> String {
        self.0.render::<svg::Color<'_>>().min_dimensions(240, 240).build()
    }

    /// As a picture.
    ///
    /// # Errors
    /// Never in practice: a small grey picture can be written.
    pub fn to_png(&self) -> Result<Vec<u8>, image::ImageError> {
        let picture =
            self.0.render::<Luma<u8>>().module_dimensions(MODULE_PIXELS, MODULE_PIXELS).build();
        let mut png = Cursor::new(Vec::new());
        DynamicImage::ImageLuma8(picture).write_to(&mut png, ImageFormat::Png)?;
        Ok(png.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "ACADEMIC ACID ACNE ACQUIRE ACROBAT ACTIVITY ACTRESS ADAPT ADEQUATE";

    #[test]
    fn a_code_is_a_square_in_every_form() {
        let code = Code::new(TEXT).unwrap();
        let terminal = code.to_terminal();
        assert!(terminal.lines().count() > 15, "{terminal}");
        assert!(code.to_svg().contains("<svg"));
        let png = image::load_from_memory(&code.to_png().unwrap()).unwrap();
        assert_eq!(png.width(), png.height());
        assert!(png.width() > 20 * MODULE_PIXELS);
    }

    #[test]
    fn what_no_code_holds_is_refused() {
        assert!(Code::new(&"A".repeat(5000)).is_err());
    }
}
