//! Whole journeys on the real programs, with clients that others wrote.
