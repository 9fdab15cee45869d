//! All contracts, by release and function, from the embedded facts.
//!
//! Which file of facts serves a function in a release says an index ([`super::shelf`]). Releases whose contracts are
//! equal name the same file, so that they share what is compiled. The operations of a file are read when one of them
//! is first asked for, its types when a type is: a release that nobody speaks costs nothing but its text.

use super::{
    Body, Found, Function, Operation, ProductSchema, Products, QueryParameter, Release, Response, Segment,
    TypeId, Types, TypesError, compile::Numbers, facts, shelf, view::TypeView,
};
use http::Method;
use std::sync::{Arc, OnceLock};

/// One API of one release.
#[derive(Debug)]
pub struct Contract {
    /// Which API.
    pub function: Function,
    /// Version of the interface file, such as `8.0.1`.
    pub version: String,
    /// Path segment after `/mefApi/sonata/`, such as `quoteManagement`.
    pub segment: String,
    /// Its operations, in the order of the interface file. Releases with equal contracts share them.
    pub operations: Arc<[Operation]>,
    types: Arc<LazyTypes>,
}

/// Types that are compiled when somebody asks for them.
#[derive(Debug)]
struct LazyTypes {
    types: OnceLock<Types>,
    /// The facts that they are compiled from then; nothing where they are there.
    facts: &'static str,
}

/// Why a file of facts is no contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// It cannot be read.
    #[error(transparent)]
    Facts(#[from] facts::FactsError),
    /// Its types do not hold together.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// It describes no API that is known.
    #[error("no known API")]
    Api,
    /// An operation that cannot be served.
    #[error("operation {0} has an unknown method or no status that is not an error")]
    Operation(String),
}

impl Contract {
    /// Compiles a file of facts.
    ///
    /// # Errors
    /// What is wrong with the file; of embedded files nothing is, which a test holds.
    pub fn compile(file: &facts::File) -> Result<Self, ContractError> {
        let outline = Self::outline(file, "")?;
        let types = Types::compile(&file.types, &expressions(file, &Numbers::new(&file.types)?))?;
        Ok(Self { types: Arc::new(LazyTypes { types: types.into(), facts: "" }), ..outline })
    }

    /// Everything but the types, which are compiled when they are first asked for.
    pub(super) fn outline(file: &facts::File, text: &'static str) -> Result<Self, ContractError> {
        let api = file.api.as_ref().ok_or(ContractError::Api)?;
        let function = Function::parse(&api.function).ok_or(ContractError::Api)?;
        let mut numbers = Numbers::new(&file.types)?;
        for expression in expressions(file, &numbers) {
            numbers.of(expression)?;
        }
        let mut operations = Vec::new();
        for operation in &file.operations {
            operations.push(compile_operation(function, operation, &mut numbers)?);
        }
        let (version, segment) = (api.version.clone(), api.segment.clone());
        let types = Arc::new(LazyTypes { types: OnceLock::new(), facts: text });
        Ok(Self { function, version, segment, operations: operations.into(), types })
    }

    /// The same operations and types under another version and segment, shared.
    pub(super) fn as_published(&self, version: &str, segment: &str) -> Self {
        let (version, segment) = (version.to_owned(), segment.to_owned());
        let (operations, types) = (Arc::clone(&self.operations), Arc::clone(&self.types));
        Self { function: self.function, version, segment, operations, types }
    }

    /// Whether the other asks and answers exactly the same: only version and segment of the path may differ.
    pub fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.types, &other.types)
    }

    /// Its types. They weigh much more than the operations, so those of an embedded contract are compiled when
    /// somebody asks for them: that is, while a mapping for one of its operations is checked.
    pub fn types(&self) -> &Types {
        self.types.types.get_or_init(|| {
            let compile = |file: facts::File| {
                let numbers = Numbers::new(&file.types).ok()?;
                Types::compile(&file.types, &expressions(&file, &numbers)).ok()
            };
            // A test compiles all that is embedded.
            facts::read(self.types.facts).ok().and_then(compile).unwrap_or_else(Types::none)
        })
    }

    /// First number of the version, as in the path.
    pub fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }

    /// The path that all operations stand below: `/mefApi/sonata/<segment>/v<major>`.
    pub fn base_path(&self) -> String {
        ["/mefApi/sonata/", &self.segment, "/v", self.major()].concat()
    }

    /// The operation of this name.
    pub fn operation(&self, operation_id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.operation_id == operation_id)
    }

    /// What stands at a path below the version, such as `/quote/17`.
    pub fn find<'c, 'p>(&'c self, method: &Method, path: &'p str) -> Found<'c, 'p> {
        let mut others = Vec::new();
        for operation in self.operations.iter() {
            if let Some(values) = operation.match_path(path) {
                if operation.method == *method {
                    return Found::Operation(operation, values);
                }
                others.push(&operation.method);
            }
        }
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
    }

    /// A type as data to read.
    pub fn view(&self, id: TypeId) -> TypeView<'_> {
        TypeView::new(self.types(), id)
    }

    /// A type as data to read, by its name in the standard.
    pub fn view_named(&self, name: &str) -> Option<TypeView<'_>> {
        self.types().named(name).map(|id| self.view(id))
    }
}

/// The types that operations name: those of query parameters and bodies, and of the elements of lists.
fn expressions<'f>(file: &'f facts::File, numbers: &Numbers<'f>) -> Vec<&'f facts::Expression> {
    let mut all = Vec::new();
    for operation in &file.operations {
        all.extend(operation.query.iter().map(|parameter| &parameter.value));
        all.extend(&operation.request);
        for body in operation.responses.iter().filter_map(|response| response.body.as_ref()) {
            all.extend([Some(body), numbers.item(body)].into_iter().flatten());
        }
    }
    all
}

fn compile_operation<'f>(
    function: Function,
    facts: &'f facts::Operation,
    numbers: &mut Numbers<'f>,
) -> Result<Operation, ContractError> {
    let broken = || ContractError::Operation(facts.id.clone());
    let method = Method::from_bytes(facts.method.as_bytes()).map_err(|_| broken())?;
    let path = facts.path.split('/').skip(1).map(|part| {
        let parameter = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        parameter
            .map_or_else(|| Segment::Literal(part.to_owned()), |name| Segment::Parameter(name.to_owned()))
    });
    let mut query = Vec::new();
    for parameter in &facts.query {
        let (value, _) = numbers.of(&parameter.value)?;
        let repeatable = is_repeatable(function, &parameter.name) || numbers.item(&parameter.value).is_some();
        query.push(QueryParameter {
            name: parameter.name.clone(),
            required: parameter.required,
            value,
            repeatable,
        });
    }
    let request = match &facts.request {
        Some(value) => Some(numbers.of(value)?.0),
        None => None,
    };
    let mut responses = Vec::new();
    for response in &facts.responses {
        let body = match &response.body {
            Some(body) => {
                let item = numbers.item(body).map(|item| numbers.of(item)).transpose()?;
                Some(Body { value: numbers.of(body)?.0, item: item.map(|(id, _)| id) })
            }
            None => None,
        };
        responses.push(Response { status: response.status, body, paged: response.paged });
    }
    // From irene on some operations may also answer 202; the first is what is answered at once.
    let success = responses.iter().find(|response| response.status < 300).ok_or_else(broken)?;
    Ok(Operation {
        function,
        operation_id: facts.id.clone(),
        method,
        path: path.collect(),
        query,
        request,
        success_status: success.status,
        paged: success.paged,
        responses,
    })
}

/// The catalog guide (MEF 142) gives several values by repeating a filter; no schema says so.
fn is_repeatable(function: Function, parameter: &str) -> bool {
    let single = ["offset", "limit", "buyerId", "sellerId"];
    let is_date = matches!(parameter.rsplit('.').next(), Some("gt" | "lt"));
    function == Function::CATALOG && !single.contains(&parameter) && !is_date
}

/// All contracts that Segue knows.
#[derive(Debug)]
pub struct Catalogue(());

/// The embedded catalogue.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: Catalogue = Catalogue(());
    &CATALOGUE
}

impl Catalogue {
    /// Releases that have facts, oldest first.
    pub fn releases(&self) -> impl Iterator<Item = Release> {
        Release::all().filter(|release| shelf::rows(*release).next().is_some())
    }

    /// Functions that a release has.
    pub fn functions(&self, release: Release) -> impl Iterator<Item = Function> {
        shelf::rows(release).map(|row| row.function)
    }

    /// The contract of a function in a release; `None` if the release does not have it.
    pub fn contract(&self, release: Release, function: Function) -> Option<&'static Contract> {
        shelf::rows(release).find(|row| row.function == function)?.contract()
    }

    /// Releases, oldest first, in which a function's contract is the very same: only version and segment of the path
    /// may differ. Empty if the release does not have the function.
    pub fn sharing(&self, release: Release, function: Function) -> impl Iterator<Item = Release> {
        let place = move |release| Some(shelf::rows(release).find(|row| row.function == function)?.facts);
        let own = place(release);
        Release::all().filter(move |other| own.is_some() && place(*other) == own)
    }

    /// The table of operations of a release: every operation of every function.
    pub fn operations(&self, release: Release) -> impl Iterator<Item = &'static Operation> {
        let contracts = self.functions(release).filter_map(move |function| self.contract(release, function));
        contracts.flat_map(|contract| contract.operations.iter())
    }

    /// The products of a release, without aliases of a partner.
    pub fn products(&self, release: Release) -> Products {
        let types = shelf::products(release);
        Products::new(types.cloned().into_iter().collect())
    }

    /// The schema of a product, by its `@type`.
    pub fn product(&self, release: Release, type_urn: &str) -> Option<ProductSchema> {
        self.products(release).resolve(type_urn)
    }
}

#[cfg(test)]
#[path = "tests/catalogue.rs"]
mod tests;
