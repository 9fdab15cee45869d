//! All contracts, by release and function, from the embedded facts.
//!
//! The operations of a file of facts are read when one of them is first asked for, its types when a type is. Releases
//! whose contracts are equal name the same file, so that they share what is compiled.

use super::{
    Body, Found, Function, Operation, ProductSchema, Products, QueryParameter, Release, Response, Segment,
    TypeId, Types, TypesError, compile::Numbers, facts, product::ProductTypes, view::TypeView,
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
    /// Its operations, in the order of the interface file.
    pub operations: Vec<Operation>,
    /// Its types, once they were asked for.
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
        Ok(Self { types: types.into(), ..outline })
    }

    /// Everything but the types, which are compiled when they are first asked for.
    fn outline(file: &facts::File, text: &'static str) -> Result<Self, ContractError> {
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
        Ok(Self { function, version, segment, operations, types: OnceLock::new(), facts: text })
    }

    /// Its types. They weigh much more than the operations, so those of an embedded contract are compiled when
    /// somebody asks for them: that is, while a mapping for one of its operations is checked.
    pub fn types(&self) -> &Types {
        self.types.get_or_init(|| {
            let compile = |file: facts::File| {
                let numbers = Numbers::new(&file.types).ok()?;
                Types::compile(&file.types, &expressions(&file, &numbers)).ok()
            };
            // A test compiles all that is embedded.
            facts::read(self.facts).ok().and_then(compile).unwrap_or_else(Types::none)
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
        for operation in &self.operations {
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

/// An embedded file of facts; `C` is what it is compiled to.
struct Embedded<C> {
    text: &'static str,
    compiled: OnceLock<Option<Arc<C>>>,
}

impl<C> Embedded<C> {
    const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    fn get<E>(
        &'static self,
        compile: impl FnOnce(&facts::File, &'static str) -> Result<C, E>,
    ) -> Option<&'static Arc<C>> {
        let compiled = self.compiled.get_or_init(|| {
            let file = facts::read(self.text).ok()?;
            compile(&file, self.text).ok().map(Arc::new)
        });
        compiled.as_ref()
    }
}

/// The facts of one function in one release.
struct Row {
    release: Release,
    function: &'static str,
    facts: &'static Embedded<Contract>,
}

macro_rules! embedded {
    ($release:ident, $folder:literal, [$($function:literal),* $(,)?]) => {
        &[$({
            static FACTS: Embedded<Contract> =
                Embedded::new(include_str!(concat!("facts/", $folder, "/", $function, ".facts")));
            Row { release: Release::$release, function: $function, facts: &FACTS }
        }),*]
    };
}

static CONTRACTS: &[Row] = embedded!(
    Grace,
    "grace",
    [
        "address",
        "site",
        "poq",
        "quote",
        "order",
        "inventory",
        "troubleTicket",
        "appointment",
        "workOrder",
        "billing",
        "catalog",
        "availabilityPricing",
        "poqNotification",
        "quoteNotification",
        "orderNotification",
        "troubleTicketNotification",
        "appointmentNotification",
        "workOrderNotification",
        "billingNotification",
        "catalogNotification",
    ]
);

static GRACE_PRODUCTS: Embedded<ProductTypes> = Embedded::new(include_str!("facts/grace/products.facts"));

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
        Release::ALL.into_iter().filter(|release| CONTRACTS.iter().any(|row| row.release == *release))
    }

    /// Functions that a release has.
    pub fn functions(&self, release: Release) -> impl Iterator<Item = Function> {
        let rows = CONTRACTS.iter().filter(move |row| row.release == release);
        rows.filter_map(|row| Function::parse(row.function))
    }

    /// The contract of a function in a release; `None` if the release does not have it.
    pub fn contract(&self, release: Release, function: Function) -> Option<&'static Contract> {
        let row = CONTRACTS.iter().find(|row| row.release == release && row.function == function.name())?;
        row.facts.get(Contract::outline).map(AsRef::as_ref)
    }

    /// The contract whose path segment this is, and so what a request to `/mefApi/sonata/<segment>/v<major>` is
    /// about.
    pub fn by_segment(&self, release: Release, segment: &str) -> Option<&'static Contract> {
        let contracts = self.functions(release).filter_map(|function| self.contract(release, function));
        contracts.into_iter().find(|contract| contract.segment == segment)
    }

    /// The table of operations of a release: every operation of every function.
    pub fn operations(&self, release: Release) -> impl Iterator<Item = &'static Operation> {
        let contracts = self.functions(release).filter_map(move |function| self.contract(release, function));
        contracts.flat_map(|contract| &contract.operations)
    }

    /// The products of a release, without aliases of a partner.
    pub fn products(&self, release: Release) -> Products {
        let types = match release {
            Release::Grace => GRACE_PRODUCTS.get(ProductTypes::outline),
            _ => None,
        };
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
