"""The actions, one table per subject; `limbstudio.ui.actions` puts them together."""
