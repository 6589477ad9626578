"""The loadable modules, one a file or folder, named as FreeSWITCH names them."""
