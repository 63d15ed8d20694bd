//! What Parallax knows about money and books, and nothing about sockets, JSON or keys.
