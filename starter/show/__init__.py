"""Come here for how a brief looks: in a terminal, as Markdown, JSON or a page. Text from outside is inert in each."""
