//! Figures as a table for people, and as JSON for programs.

use std::env;
use std::fs;
use std::path::PathBuf;

/// What may be asked for.
pub struct Options {
    /// Rounds of whatever is fast.
    pub rounds: usize,
    json: Option<PathBuf>,
}

impl Options {
    /// Reads the command line; `rounds` is what is done unasked.
    pub fn read(rounds: usize) -> Self {
        let mut options = Self { rounds, json: None };
        let mut words = env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} what?"));
            match word.as_str() {
                "--rounds" => options.rounds = value().parse().unwrap(),
                "--json" => options.json = Some(value().into()),
                // cargo says this to every bench.
                "--bench" => (),
                _ => panic!("not an option: {word}: there are --rounds N and --json FILE"),
            }
        }
        options
    }

    /// Writes the tables to the JSON file, where there is to be one.
    pub fn write(&self, tables: &[Table]) {
        if let Some(file) = &self.json {
            let tables: Vec<String> = tables.iter().map(Table::json).collect();
            fs::write(file, format!("{{\n{}\n}}\n", tables.join(",\n"))).unwrap();
        }
    }
}

/// The name of a row, and its figures.
pub type Row = (String, Vec<Option<f64>>);

/// Rows with names that are borrowed.
pub fn named<'n>(rows: impl Iterator<Item = (&'n str, Vec<Option<f64>>)>) -> Vec<Row> {
    rows.map(|(name, figures)| (name.to_owned(), figures))
        .collect()
}

/// Figures, a line for each program.
pub struct Table {
    /// Its key in the JSON file.
    pub name: &'static str,
    pub title: String,
    pub columns: &'static [&'static str],
    pub rows: Vec<Row>,
}

impl Table {
    pub fn print(&self) {
        print!("\n{}\n{:22}", self.title, "");
        for column in self.columns {
            print!("{column:>14}");
        }
        println!();
        for (name, figures) in &self.rows {
            print!("{name:22}");
            for figure in figures {
                match figure {
                    Some(figure) => print!("{:>14}", shown(*figure)),
                    None => print!("{:>14}", "-"),
                }
            }
            println!();
        }
    }

    fn json(&self) -> String {
        let rows = self.rows.iter().map(|(name, figures)| {
            let figures = self.columns.iter().zip(figures).map(|(column, figure)| {
                let figure = figure.map_or_else(|| "null".to_owned(), shown);
                format!("\"{column}\": {figure}")
            });
            let figures: Vec<String> = figures.collect();
            format!("    \"{name}\": {{{}}}", figures.join(", "))
        });
        let rows: Vec<String> = rows.collect();
        format!("  \"{}\": {{\n{}\n  }}", self.name, rows.join(",\n"))
    }
}

/// Whole numbers as such, the others with two places.
fn shown(figure: f64) -> String {
    if figure.fract() == 0.0 {
        format!("{figure}")
    } else {
        format!("{figure:.2}")
    }
}
