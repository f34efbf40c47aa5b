"""Takes the site's pages from where they lie in the repository, so that a link leads to the same page on both."""

from pathlib import Path

from mkdocs.structure.files import File, Files


def on_files(files, config):
    root = str(Path(config.config_file_path).parent)
    of_the_theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = [*pages(config.nav), *config.extra["files"]]
    of_the_repository = [
        File(path, root, config.site_dir, config.use_directory_urls) for path in paths
    ]
    return Files([*of_the_theme, *of_the_repository])


def pages(nav):
    """The pages of a part of the navigation: a list of paths, and of titles with such a list below."""
    for item in nav:
        if isinstance(item, str):
            yield item
        else:
            for below in item.values():
                yield from pages(below)
