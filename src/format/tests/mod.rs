mod laws;
mod reading;
mod wire;
mod writing;
