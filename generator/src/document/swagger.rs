//! Swagger 2.0: body and form parameters, `consumes` and `produces`, `host` and `basePath`.

use serde_json::{Map, Value};

use super::{codes, files::Target, shape::Shaper};

pub(super) fn servers(_root: &Value) -> Vec<openapiv3::Server> {
    Vec::new()
}

impl Shaper<'_, '_, '_> {
    /// The parameters of an operation and of its path item, and the body that they make up.
    pub(super) fn swagger_parameters(
        &mut self,
        _operation: &Map<String, Value>,
        _item: &Map<String, Value>,
        at: &Target,
    ) -> (Vec<Value>, Option<Value>) {
        self.report(&codes::NOT_SUPPORTED, at, "parameters of Swagger 2.0 are left out");
        (Vec::new(), None)
    }

    /// The content of a response.
    pub(super) fn swagger_response_content(
        &mut self,
        _response: &Map<String, Value>,
        _operation: &Map<String, Value>,
        _at: &Target,
    ) -> Map<String, Value> {
        Map::new()
    }
}
