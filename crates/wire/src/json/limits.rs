//! What a JSON body may cost, said before anything of it is read.

/// What a body may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Objects and arrays inside each other, counted as brackets in the known part of the document;
    /// at most [`Limits::DEPTH_MAX`] is honoured. The part under unknown keys does not count, it is
    /// skipped.
    pub depth: usize,
    /// The size of the protobuf form in bytes. It is mostly under half of the body, but a list of
    /// doubles such as `[0,0,0]` takes four times its text.
    pub output_bytes: usize,
}

impl Limits {
    /// A hundred brackets hold at most 67 protobuf messages, which stays under the hundred that
    /// most protobuf decoders allow: what is transcoded can be read by whoever it is forwarded to.
    pub const DEPTH: usize = 100;

    /// The JSON parser's own guard against a stack overflow stands at 127 and reports no path.
    pub const DEPTH_MAX: usize = 120;

    /// The default depth with the given size of the output.
    #[must_use]
    pub fn of_output(output_bytes: usize) -> Self {
        Limits { depth: Self::DEPTH, output_bytes }
    }
}
