//! Trains networks of single bits by evolution.
