// SPDX-License-Identifier: Apache-2.0
//! Are `pkcs11-headers/`, the lists of `event` and the independent binding `cryptoki-sys` one and the same
//! PKCS#11? Constants, functions and layouts, each in both directions. The binding has no reflection, so its
//! text is read.

#[path = "headers/structures.rs"]
mod structures;

use event::{FUNCTIONS, attribute, mechanism, names, parameter_set, value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the header, but not a number that the binding could hold.
const ONLY_IN_THE_HEADER: [&str; 1] = ["CK_UNAVAILABLE_INFORMATION"];

/// The prefixes of which our lists hold every constant, but for the start of the vendors' own numbers.
const LISTED: [&str; 15] = [
    "CKM_", "CKA_", "CKR_", "CKO_", "CKK_", "CKC_", "CKU_", "CKS_", "CKD_", "CKG_", "CKH_", "CKP_", "CKT_",
    "CKV_", "CKZ_",
];

type Constants = BTreeMap<String, u64>;

fn headers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pkcs11-headers")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text of the binding for this machine, found where cargo keeps the package. Asked for this platform
/// alone, cargo needs no package that a build did not need.
fn binding() -> String {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--filter-platform", &platform, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|p| p["name"] == "cryptoki-sys").unwrap();
    let manifest = package["manifest_path"].as_str().unwrap();
    read(&Path::new(manifest).with_file_name("src/bindings").join(platform + ".rs"))
}

/// `#define NAME value`, where the value is a number, another name, or one of the two `|` the other.
fn header_constants() -> Constants {
    let mut constants = Constants::new();
    for file in ["pkcs11.h", "pkcs11-constants.h"] {
        for line in read(&headers().join(file)).lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some("#define") {
                continue;
            }
            let name = words.next().unwrap();
            if name.starts_with("CK") && !ONLY_IN_THE_HEADER.contains(&name) {
                let expression = words.collect::<String>();
                let terms = expression.trim_matches(['(', ')']).split('|');
                let number = terms.fold(0, |sum, term| sum | number(term, &constants));
                assert_eq!(constants.insert(name.to_owned(), number), None, "{name} is defined twice");
            }
        }
    }
    constants
}

fn number(term: &str, known: &Constants) -> u64 {
    let digits = term.trim_end_matches("UL");
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => digits.parse().unwrap_or_else(|_| known[term]),
    }
}

/// `pub const NAME: TYPE = number;`
fn binding_constants(binding: &str) -> Constants {
    let lines = binding.lines().filter_map(|line| line.strip_prefix("pub const CK")?.strip_suffix(';'));
    let parts = lines.map(|line| (line.split(':').next().unwrap(), line.rsplit(" = ").next().unwrap()));
    parts.map(|(name, number)| (format!("CK{name}"), number.parse().unwrap())).collect()
}

fn our_constants() -> Constants {
    let mut ours = Constants::new();
    let mut add = |name: &str, number| {
        // The same name may stand in a list of its subject and in a list of facts, with the same number.
        assert!(ours.insert(name.to_owned(), number).is_none_or(|before| before == number), "{name}");
    };
    for m in mechanism::ALL {
        m.aliases.iter().chain([&m.name]).for_each(|name| add(name, m.number));
    }
    for a in attribute::ALL {
        a.aliases.iter().chain([&a.name]).for_each(|name| add(name, a.number));
    }
    parameter_set::ALL.iter().for_each(|s| add(s.constant, s.number));
    macro_rules! lists {
        ($($subject:ident::$list:ident)*) => {$(
            $subject::$list::ALL.iter().for_each(|(number, name)| add(name, *number));
        )*};
    }
    lists! {
        value::rv value::object_class value::key_type value::certificate_type value::user_type value::session_state
        names::mgf names::generator names::kdf names::prf names::oaep_source names::salt_source names::hkdf_salt
        names::hedge names::prf_data names::otp_parameter names::hardware_feature names::profile names::trust
        names::validation_type names::validation_authority
    }
    ours
}

/// One function: name, version, and name and type of each argument. Types as in `event::table`, without
/// blanks.
#[derive(Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    since: (u8, u8),
    arguments: Vec<(String, String)>,
}

/// `P11_FUNCTION(major, minor, name, (type name, …), (name, …))`
fn header_functions() -> Vec<Signature> {
    let text = read(&headers().join("pkcs11-functions.h"));
    let calls = text.split("\nP11_FUNCTION(").skip(1);
    calls
        .map(|call| {
            let mut parts = call.split(['(', ')']);
            let head: Vec<&str> = parts.next().unwrap().split(',').map(str::trim).collect();
            let parameters = parts.next().unwrap().split(',').map(|p| p.trim().split_once(' ').unwrap());
            let arguments: Vec<_> = parameters.map(|(c, name)| (name.to_owned(), rust_type(c))).collect();
            let passed = parts.nth(1).unwrap().split(',').map(str::trim);
            assert!(
                arguments.iter().map(|a| a.0.as_str()).eq(passed),
                "{} does not pass what it takes",
                head[2]
            );
            Signature {
                name: head[2].to_owned(),
                since: (head[0].parse().unwrap(), head[1].parse().unwrap()),
                arguments,
            }
        })
        .collect()
}

/// `CK_X_PTR_PTR` is `*mut*mutCK_X`.
fn rust_type(c: &str) -> String {
    match c.strip_suffix("_PTR") {
        Some(pointee) => format!("*mut{}", rust_type(pointee)),
        None => c.to_owned(),
    }
}

fn without_blanks(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The types of the arguments of `CK_name` in the binding: `fn(arg1: TYPE, …) -> CK_RV`.
fn binding_types(binding: &str, name: &str) -> Vec<String> {
    let definition = binding.split(&format!("pub type CK_{name} =")).nth(1).unwrap();
    let definition = definition.split(';').next().unwrap();
    let arguments = definition.split("fn(").nth(1).unwrap().split("->").next().unwrap();
    let arguments = without_blanks(arguments).replace("::std::os::raw::c_void", "CK_VOID");
    let arguments = arguments.trim_end_matches([')', ',']).split(',');
    arguments.map(|argument| argument.split_once(':').unwrap().1.to_owned()).collect()
}

/// The names of the fields of `pub struct name` in the binding.
fn binding_fields<'b>(binding: &'b str, name: &str) -> Vec<&'b str> {
    let body = binding.split(&format!("pub struct {name} {{")).nth(1).unwrap();
    let lines = body.split("\n}").next().unwrap().lines();
    lines.filter_map(|line| Some(line.trim().strip_prefix("pub ")?.split(':').next().unwrap())).collect()
}

/// Compiles `program` with the headers at hand and gives what it prints.
fn run(program: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("program.c"), folder.path().join("program"));
    std::fs::write(&source, program).unwrap();
    compile("cc", &["-std=c11", "-o", binary.to_str().unwrap()], &source);
    let output = Command::new(binary).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn compile(compiler: &str, options: &[&str], source: &Path) {
    let warnings = ["-Wall", "-Wextra", "-pedantic", "-Werror"];
    let mut command = Command::new(compiler);
    let output = command.args(warnings).args(options).arg("-I").arg(headers()).arg(source).output();
    let output = output.unwrap_or_else(|error| panic!("{compiler}: {error}; install a C and C++ compiler"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_header_has_the_constants_of_the_binding_and_no_others() {
    assert_eq!(header_constants(), binding_constants(&binding()));
}

#[test]
fn our_lists_have_the_constants_of_the_header_and_no_others() {
    let (header, ours) = (header_constants(), our_constants());
    for (name, number) in &ours {
        assert_eq!(header.get(name), Some(number), "{name} is not so in the header");
    }
    for (name, number) in &header {
        let listed = LISTED.iter().any(|prefix| name.starts_with(prefix));
        // Where the vendors' numbers begin, and the one kind of validation flags that can be asked for, name
        // nothing.
        if listed && !name.ends_with("_VENDOR_DEFINED") && name != "CKS_LAST_VALIDATION_OK" {
            assert_eq!(ours.get(name), Some(number), "{name} is not so in our lists");
        }
    }
    assert_eq!(header["CKM_VENDOR_DEFINED"], mechanism::VENDOR_DEFINED);
    assert_eq!(header["CKF_ARRAY_ATTRIBUTE"], attribute::ARRAY);
}

#[test]
fn the_header_has_the_functions_of_our_table_in_its_order() {
    let ours = FUNCTIONS.iter().map(|f| Signature {
        name: f.name.to_owned(),
        since: f.since,
        arguments: f
            .arguments
            .iter()
            .map(|(name, kind)| (name.trim_start_matches("r#").to_owned(), without_blanks(kind)))
            .collect(),
    });
    let header = header_functions();
    for (ours, header) in ours.clone().zip(&header) {
        assert_eq!(&ours, header);
    }
    assert_eq!(ours.count(), header.len());
}

#[test]
fn the_functions_are_those_of_the_tables_of_the_binding() {
    let (binding, header) = (binding(), header_functions());
    for (version, table) in
        [((2, 40), "CK_FUNCTION_LIST"), ((3, 0), "CK_FUNCTION_LIST_3_0"), ((3, 2), "CK_FUNCTION_LIST_3_2")]
    {
        let functions = header.iter().filter(|f| f.since <= version).map(|f| f.name.as_str());
        let expected: Vec<&str> = std::iter::once("version").chain(functions).collect();
        assert_eq!(binding_fields(&binding, table), expected);
    }
    for function in &header {
        let types: Vec<&str> = function.arguments.iter().map(|(_, kind)| kind.as_str()).collect();
        assert_eq!(binding_types(&binding, &function.name), types, "{}", function.name);
    }
}

#[test]
fn every_structure_is_laid_out_as_in_the_binding() {
    let (binding, layouts) = (binding(), structures::layouts());
    let compared: BTreeSet<&str> = layouts.iter().map(|(name, _)| name.as_str()).collect();
    let structures =
        binding.lines().filter_map(|line| line.strip_prefix("pub struct CK_")?.strip_suffix(" {"));
    for structure in
        structures.map(|name| format!("CK_{name}")).filter(|s| !s.starts_with("CK_FUNCTION_LIST"))
    {
        assert!(compared.contains(structure.as_str()), "tests/headers/structures.rs lacks {structure}");
        for field in binding_fields(&binding, &structure) {
            let field = format!("{structure}.{}", field.trim_end_matches('_'));
            assert!(compared.contains(field.as_str()), "tests/headers/structures.rs lacks {field}");
        }
    }

    let mut program =
        "#include <stddef.h>\n#include <stdio.h>\n#include \"pkcs11.h\"\nint main(void) {\n".to_owned();
    for (name, _) in &layouts {
        let size = match name.split_once('.') {
            Some((structure, field)) => format!("offsetof({structure}, {field})"),
            None => format!("sizeof({name})"),
        };
        program += &format!("printf(\"{name} %zu\\n\", {size});\n");
    }
    program += "return 0;\n}\n";
    let expected: String = layouts.iter().map(|(name, size)| format!("{name} {size}\n")).collect();
    assert_eq!(run(&program), expected);
}

#[test]
fn every_function_stands_at_its_place_in_the_tables() {
    let program = r#"
        #include <stddef.h>
        #include <stdio.h>
        #include "pkcs11.h"
        int main(void) {
            printf("%zu %zu ", sizeof(CK_FUNCTION_LIST), sizeof(CK_FUNCTION_LIST_3_0));
            printf("%zu\n", sizeof(CK_FUNCTION_LIST_3_2));
        #define P11_FUNCTION(major, minor, name, parameters, arguments) \
            printf("%s %zu\n", #name, offsetof(CK_FUNCTION_LIST_3_2, name));
        #include "pkcs11-functions.h"
            return 0;
        }
    "#;
    let pointer = size_of::<usize>();
    let mut expected = format!(
        "{} {} {}\n",
        size_of::<cryptoki_sys::CK_FUNCTION_LIST>(),
        size_of::<cryptoki_sys::CK_FUNCTION_LIST_3_0>(),
        size_of::<cryptoki_sys::CK_FUNCTION_LIST_3_2>()
    );
    for (place, function) in FUNCTIONS.iter().enumerate() {
        expected += &format!("{} {}\n", function.name, (place + 1) * pointer);
    }
    assert_eq!(run(program), expected);
}

#[test]
fn every_parameter_structure_that_a_mechanism_takes_is_in_the_headers() {
    let text = read(&headers().join("pkcs11.h")) + &read(&headers().join("pkcs11-parameters.h"));
    for shape in mechanism::Shape::ALL {
        let structure = shape.structure().trim_end_matches("[]");
        let defined = ["typedef struct ", "typedef CK_ULONG ", "typedef unsigned char "];
        let defined = defined.iter().any(|how| {
            text.match_indices(&format!("{how}{structure}"))
                .any(|(at, found)| text[at + found.len()..].starts_with([' ', ',']))
        });
        assert!(structure.is_empty() || defined, "{structure}");
    }
}

#[test]
fn c11_and_cpp_take_the_headers_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for (compiler, standard, file) in [("cc", "-std=c11", "a.c"), ("c++", "-std=c++11", "a.cpp")] {
        let source = folder.path().join(file);
        std::fs::write(&source, "#include \"p11guard.h\"\n#include \"pkcs11.h\"\n").unwrap();
        compile(compiler, &[standard, "-fsyntax-only"], &source);
    }
}
