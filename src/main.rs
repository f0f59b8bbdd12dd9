//! husk, the program: everything is in the library.

#![no_std]
#![no_main]

husk::entry!(husk::main);
