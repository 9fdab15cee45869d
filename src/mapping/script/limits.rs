//! What a script may use up. Mappings are written by integrators, not by partners, so the limits are there
//! for mistakes, and for values that grow with what a partner sends.

/// Nested calls of functions.
pub const CALL_LEVELS_MAX: usize = 24;
/// Nesting of an expression.
pub const EXPRESSION_DEPTH_MAX: usize = 32;
/// Nesting of an expression in a function.
pub const FUNCTION_EXPRESSION_DEPTH_MAX: usize = 24;
/// Bytes of one text.
pub const TEXT_BYTES_MAX: usize = 32 * 1024;
/// Elements of one array, those of arrays in it counted.
pub const ARRAY_ELEMENTS_MAX: usize = 1024;
/// Members of one object map, those of maps in it counted.
pub const MAP_MEMBERS_MAX: usize = 512;
/// Variables in scope.
pub const VARIABLES_MAX: usize = 128;
/// Functions in one file.
pub const FUNCTIONS_MAX: usize = 512;
/// Bytes of a script or of a file of functions.
pub const SOURCE_BYTES_MAX: usize = 256 * 1024;
