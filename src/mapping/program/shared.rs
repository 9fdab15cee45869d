//! Parts of programs that partners share.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// A part of a program that others may have as well. Who changes it gets a copy of their own.
pub struct Shared<T: ?Sized>(Arc<T>);

impl<T> Shared<T> {
    /// A part that nobody else has yet.
    pub fn new(part: T) -> Self {
        Self(Arc::new(part))
    }
}

impl<T: ?Sized> Shared<T> {
    /// Whether both are one and the same part.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: ?Sized + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || *self.0 == *other.0
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T: Clone> DerefMut for Shared<[T]> {
    fn deref_mut(&mut self) -> &mut [T] {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Default for Shared<[T]> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<T> From<Vec<T>> for Shared<[T]> {
    fn from(parts: Vec<T>) -> Self {
        Self(parts.into())
    }
}

impl<T, const N: usize> From<[T; N]> for Shared<[T]> {
    fn from(parts: [T; N]) -> Self {
        Self(Arc::new(parts))
    }
}

impl<T> FromIterator<T> for Shared<[T]> {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl<'s, T> IntoIterator for &'s Shared<[T]> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'s, T: Clone> IntoIterator for &'s mut Shared<[T]> {
    type Item = &'s mut T;
    type IntoIter = std::slice::IterMut<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: Clone> IntoIterator for Shared<[T]> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        Vec::from(&*self.0).into_iter()
    }
}
