//! Where components come from, for people who have to tell two of one name apart.

use crate::component::{
    PromptEntry, PromptSource, ResourceEntry, ResourceSource, TemplateEntry, TemplateSource, ToolEntry, ToolSource,
};
use crate::{catalog::Operation, compose::Inner, upstream::Upstream};

pub(super) trait Origin {
    /// In words: `GET /pets` of an API, an inner server, or one's own code.
    fn origin(&self) -> String;
    /// Which inner server it is of.
    fn inner(&self) -> Option<&Inner>;
}

fn by_hand() -> String {
    "one added by hand".to_owned()
}

fn of_operation(operation: &Operation, upstream: &Upstream) -> String {
    format!("`{} {}` of the API `{}`", operation.method, operation.path, upstream.api().name)
}

fn of_inner(inner: &Inner) -> String {
    format!("`{}` of {}", inner.name, inner.child.label())
}

macro_rules! origin {
    ($entry:ident, $source:ident, $custom:pat) => {
        impl Origin for $entry {
            fn origin(&self) -> String {
                match &self.source {
                    $custom => by_hand(),
                    $source::Operation(of) => of_operation(of.operation, &of.upstream),
                    $source::Mounted(inner) => of_inner(inner),
                }
            }

            fn inner(&self) -> Option<&Inner> {
                if let $source::Mounted(inner) = &self.source { Some(inner) } else { None }
            }
        }
    };
}
origin!(ResourceEntry, ResourceSource, ResourceSource::Custom(_));
origin!(TemplateEntry, TemplateSource, TemplateSource::Custom { .. });

impl Origin for ToolEntry {
    fn origin(&self) -> String {
        match &self.source {
            ToolSource::Custom(_) => by_hand(),
            #[cfg(feature = "proxy")]
            ToolSource::Foreign(_) => "one of a server elsewhere".to_owned(),
            ToolSource::Operation(of) => of_operation(of.operation, &of.upstream),
            ToolSource::Mounted(inner) => of_inner(inner),
            ToolSource::Transformed(transformed) => {
                format!("`{}` transformed, {}", transformed.tool.info.name, transformed.tool.origin())
            }
        }
    }

    fn inner(&self) -> Option<&Inner> {
        match &self.source {
            ToolSource::Mounted(inner) => Some(inner),
            ToolSource::Transformed(transformed) => transformed.tool.inner(),
            _ => None,
        }
    }
}

impl Origin for PromptEntry {
    fn origin(&self) -> String {
        self.inner().map_or_else(by_hand, of_inner)
    }

    fn inner(&self) -> Option<&Inner> {
        if let PromptSource::Mounted(inner) = &self.source { Some(inner) } else { None }
    }
}
