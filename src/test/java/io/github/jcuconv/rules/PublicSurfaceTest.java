package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the module shows: only its own exported types, closed to subclasses, nullness stated. */
class PublicSurfaceTest {
    private static final String ROOT = "io.github.jcuconv";
    private static final Set<String> MAY_BE_EXPORTED =
            Set.of("", ".op", ".spi", ".memory", ".nn", ".models", ".data", ".io", ".cuda");

    private static ModuleDescriptor module;
    private static Set<String> exported;
    private static JavaClasses production;

    @BeforeAll
    static void readModule() throws IOException {
        try (InputStream in = Files.newInputStream(SourceTree.mainClasses().resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        exported =
                module.exports().stream().map(ModuleDescriptor.Exports::source).collect(Collectors.toSet());
        production = new ClassFileImporter().importPath(SourceTree.mainClasses());
    }

    @Test
    void only_the_packages_of_the_design_are_exported() {
        Set<String> surplus = new TreeSet<>(exported);
        MAY_BE_EXPORTED.forEach(name -> surplus.remove(ROOT + name));
        assertEquals(Set.of(), surplus);
    }

    @Test
    void every_library_is_optional() {
        List<String> mandatory = module.requires().stream()
                .filter(requires -> !requires.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC))
                .map(ModuleDescriptor.Requires::name)
                .filter(name -> !name.startsWith("java.") && !name.startsWith("jdk."))
                .toList();
        assertEquals(List.of(), mandatory);
    }

    @Test
    void signatures_hold_exported_types_only() {
        List<String> hidden = new ArrayList<>();
        visibleClasses().forEach(owner -> {
            Stream.concat(owner.getRawSuperclass().stream(), owner.getRawInterfaces().stream())
                    .filter(type -> !isKnownOutside(type))
                    .forEach(type -> hidden.add(owner.getName() + " extends " + type.getName()));
            Stream.<JavaMember>concat(owner.getFields().stream(), owner.getCodeUnits().stream())
                    .filter(PublicSurfaceTest::isVisible)
                    .forEach(member -> types(member)
                            .filter(type -> !isKnownOutside(type))
                            .forEach(type -> hidden.add(member.getFullName() + " shows " + type.getName())));
        });
        assertEquals(List.of(), hidden);
    }

    @Test
    void classes_are_final_or_sealed() {
        List<String> open = visibleClasses()
                .filter(type -> !type.isInterface() && !type.isEnum() && !type.isRecord())
                .filter(type -> !type.getModifiers().contains(JavaModifier.FINAL))
                .filter(type -> !type.reflect().isSealed())
                .map(JavaClass::getName)
                .sorted()
                .toList();
        assertEquals(List.of(), open);
    }

    @Test
    void every_package_states_its_nullness() {
        List<Path> unmarked = new ArrayList<>();
        for (Path folder : SourceTree.files(SourceTree.PACKAGE, ".java").stream()
                .map(Path::getParent)
                .distinct()
                .toList()) {
            Path info = folder.resolve("package-info.java");
            if (!Files.exists(info) || !SourceTree.read(info).contains("@NullMarked")) {
                unmarked.add(folder);
            }
        }
        assertEquals(List.of(), unmarked);
    }

    @Test
    void the_module_was_imported() {
        assertTrue(visibleClasses().count() > 20, "the rules above looked at nothing");
    }

    private static Stream<JavaClass> visibleClasses() {
        return production.stream()
                .filter(type -> exported.contains(type.getPackageName()))
                .filter(PublicSurfaceTest::isPublicThroughout);
    }

    private static boolean isPublicThroughout(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass()
                        .map(PublicSurfaceTest::isPublicThroughout)
                        .orElse(true);
    }

    private static boolean isVisible(JavaMember member) {
        Set<JavaModifier> modifiers = member.getModifiers();
        return (modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED))
                && !modifiers.contains(JavaModifier.SYNTHETIC);
    }

    /** Every class that a member's signature names, type arguments included. */
    private static Stream<JavaClass> types(JavaMember member) {
        if (member instanceof JavaField field) {
            return raw(field.getType());
        }
        JavaCodeUnit unit = (JavaCodeUnit) member;
        return Stream.of(
                        raw(unit.getReturnType()),
                        unit.getParameterTypes().stream().flatMap(PublicSurfaceTest::raw),
                        unit.getExceptionTypes().stream())
                .flatMap(part -> part);
    }

    private static Stream<JavaClass> raw(JavaType type) {
        return type.getAllInvolvedRawTypes().stream();
    }

    private static boolean isKnownOutside(JavaClass type) {
        JavaClass element = type.getBaseComponentType();
        if (!element.getPackageName().startsWith(ROOT)) {
            // JCuda's types are the one exception, for JCudaInterop; DependencyRulesTest keeps them in their package.
            return element.isPrimitive()
                    || element.getPackageName().startsWith("java.")
                    || element.getPackageName().startsWith("jcuda");
        }
        return exported.contains(element.getPackageName()) && isPublicThroughout(element);
    }
}
